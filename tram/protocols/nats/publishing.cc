// PUB and HPUB.
#include "tram/broker/subject.h"
#include "tram/protocols/nats/door.h"
#include "tram/protocols/nats/queue_requests.h"
#include "tram/protocols/nats/session.h"
#include "tram/protocols/nats/words.h"

namespace tram::protocols::nats {

namespace {

constexpr size_t line_end_size = 2;

bool ends_line(BytesView bytes, size_t at) { return bytes[at] == '\r' && bytes[at + 1] == '\n'; }

}  // namespace

NatsSession::Taken NatsSession::take_pub(const Line& line, bool has_headers, BytesView bytes,
                                         const base::SharedBytes* owner, size_t& size) {
  if (has_headers && !options_.headers) return refuse({});
  PubArguments pub;
  if (!parse_pub(line.arguments, has_headers, pub)) return refuse({});
  if (pub.total_size > door_.options().payload_max) return refuse(words::payload_violation);
  size = line.size + pub.total_size + line_end_size;
  if (bytes.size() < size) {
    needed_ = size;
    return Taken::more;
  }
  if (!ends_line(bytes, size - line_end_size)) return refuse(words::unknown_operation);
  broker::Publication publication;
  publication.subject = pub.subject;
  publication.reply_to = pub.reply_to;
  publication.headers = bytes.substr(line.size, pub.headers_size);
  publication.payload =
      bytes.substr(line.size + pub.headers_size, pub.total_size - pub.headers_size);
  publication.owner = owner;
  return publish(publication, pub.subject_is_valid || broker::valid_subject(pub.subject));
}

NatsSession::Taken NatsSession::publish(const broker::Publication& publication, bool valid) {
  DoorCounters& counters = door_.counters_of_sessions();
  counters.messages_in.add();
  counters.bytes_in.add(publication.headers.size() + publication.payload.size());
  // A subject that is not one, or that has a wildcard, reaches nobody; only pedantic clients are
  // told, as by nats-server.
  if (!valid && options_.pedantic) {
    counters.errors.add();
    connection_.send(words::invalid_publish_subject);
  }
  if (publication.subject.starts_with('$') && QueueRequests::is_one(publication.subject)) {
    if (!queue_requests_) queue_requests_ = std::make_unique<QueueRequests>(*this);
    queue_requests_->take(publication);
    return say_ok();
  }
  broker::Engine::Reach reach;
  if (valid) reach = door_.engine().publish(publication, options_.echo ? nullptr : this);
  if (reach.receivers == 0 && options_.no_responders && !publication.reply_to.empty())
    say_no_responders(publication.reply_to);
  say_ok();
  if (!reach.hold_back) return Taken::done;
  connection_.hold_back();
  return Taken::stopped;
}

void NatsSession::say_no_responders(BytesView reply_to) {
  if (!broker::valid_subject(reply_to)) return;
  broker::Publication status;
  status.subject = reply_to;
  status.headers = words::no_responders_status;
  door_.engine().publish_to(*this, status);
}

}  // namespace tram::protocols::nats
