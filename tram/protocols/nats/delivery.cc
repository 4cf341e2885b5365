// MSG and HMSG: what subscribers are sent.
#include <charconv>
#include <cstring>

#include "tram/protocols/nats/door.h"
#include "tram/protocols/nats/session.h"

namespace tram::protocols::nats {

namespace {

// Appends to raw room that is known to be large enough.
class Pen {
 public:
  explicit Pen(char* to) : begin_(to), to_(to) {}
  void write(BytesView text) {
    if (text.empty()) return;  // Its data may be null, which memcpy must not be given.
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }
  void write_spaced(BytesView text) {
    write(text);
    *to_++ = ' ';
  }
  void write(size_t number) { to_ = std::to_chars(to_, to_ + digits_max, number).ptr; }
  size_t written() const { return static_cast<size_t>(to_ - begin_); }

  static constexpr size_t digits_max = 20;

 private:
  char* begin_;
  char* to_;
};

}  // namespace

broker::Receipt NatsSession::on_message(uint64_t cookie, const broker::Publication& publication) {
  Subscription& subscription = subscriptions_[cookie];
  // Who is on the way out is no reason to go on: were it one, then between letting go of one
  // slow reader and the end of the turn nothing would hold the publisher back, and those who
  // read would be flooded.
  if (connection_.ending()) return broker::Receipt::behind;
  write_message(subscription, publication);
  DoorCounters& counters = door_.counters_of_sessions();
  counters.messages_out.add();
  counters.bytes_out.add(publication.headers.size() + publication.payload.size());
  ++subscription.delivered;
  if (connection_.outbox_is_full() && !connection_.make_room()) {
    counters.dropped.add();
    connection_.abort(net::CloseReason::slow_consumer);
    return broker::Receipt::behind;
  }
  if (subscription.delivered == subscription.delivered_max) {
    // The engine ends it now; the slot may be used again at once.
    slot_by_sid_.erase(subscription.sid);
    free_slot(static_cast<uint32_t>(cookie));
    return broker::Receipt::spent;
  }
  return connection_.is_behind() ? broker::Receipt::behind : broker::Receipt::taken;
}

void NatsSession::write_message(const Subscription& subscription,
                                const broker::Publication& publication) {
  // A client without headers gets the payload alone.
  BytesView headers = options_.headers ? publication.headers : BytesView();
  size_t body_size = headers.size() + publication.payload.size();
  bool by_reference = publication.owner != nullptr && body_size >= net::share_size_min;
  // "HMSG " subject ' ' sid ' ' reply ' ' size ' ' size CRLF body CRLF
  size_t room = 5 + publication.subject.size() + 1 + subscription.sid.size() + 1 +
                publication.reply_to.size() + 1 + 2 * (Pen::digits_max + 1) + 2 +
                (by_reference ? 0 : body_size + 2);
  net::Outbox& outbox = connection_.outbox();
  Pen pen(outbox.reserve(room));
  pen.write(headers.empty() ? BytesView("MSG ") : BytesView("HMSG "));
  pen.write_spaced(publication.subject);
  pen.write_spaced(subscription.sid);
  if (!publication.reply_to.empty()) pen.write_spaced(publication.reply_to);
  if (!headers.empty()) {
    pen.write(headers.size());
    pen.write(BytesView(" "));
  }
  pen.write(body_size);
  pen.write(BytesView("\r\n"));
  if (!by_reference) {
    pen.write(headers);
    pen.write(publication.payload);
    pen.write(BytesView("\r\n"));
    outbox.commit(pen.written());
    return;
  }
  outbox.commit(pen.written());
  outbox.append_shared(*publication.owner, headers);
  outbox.append_shared(*publication.owner, publication.payload);
  outbox.append(BytesView("\r\n"));
}

}  // namespace tram::protocols::nats
