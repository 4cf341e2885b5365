// Live messages: publish one, publish many, ask and be answered.
#include "tram/broker/subject.h"
#include "tram/protocols/api/replies.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/http/exchange.h"
#include "tram/protocols/http/json_lines.h"
#include "tram/protocols/http/message_fields.h"
#include "tram/protocols/http/routes/routes.h"
#include "tram/protocols/http/target.h"

namespace tram::protocols::http::routes {

namespace {

constexpr uint64_t request_ms_max = 3'600'000;

// A publication as the request's path, headers and body give it. Views into the request and into
// this.
struct Addressed {
  std::string room;
  std::string headers;
  std::string reply_to;
  BytesView subject;
};

base::Result<> read_address(Exchange& exchange, Addressed& to) {
  base::Result<BytesView> subject = exchange.parameter(0, to.room);
  if (!subject) return std::unexpected(subject.error());
  to.subject = *subject;
  base::Result<std::string> headers = message_headers_of(exchange.head());
  if (!headers) return std::unexpected(headers.error());
  to.headers = std::move(*headers);
  return check_subject(to.subject);
}

void count_in(Exchange& exchange, BytesView payload) {
  exchange.door().count().messages_in.add();
  exchange.door().count().bytes_in.add(payload.size());
}

// Publishes now; every receiver being behind, this connection's next request waits a little.
uint32_t publish_now(Exchange& exchange, const broker::Publication& publication) {
  count_in(exchange, publication.payload);
  broker::Engine::Reach reach = exchange.engine().publish(publication);
  if (reach.hold_back) exchange.hold_back();
  return reach.receivers;
}

// Waits for one answer, until the time is up or the peer has gone.
class RequestWaiter final : public ReplyHandler, public ReplyInbox::Waiter {
 public:
  RequestWaiter(Exchange& exchange, const Addressed& to, Duration time_max)
      : exchange_(exchange),
        subject_(to.subject),
        headers_(to.headers),
        body_(exchange.body()),
        time_max_(time_max),
        timer_([this] { answer_error({base::Errc::timed_out, "nobody answered in time"}); }) {}
  ~RequestWaiter() override { leave(); }

  void begin() {
    if (exchange_.door().inbox().open(exchange_.caller(), exchange_.ticket())) publish();
  }
  // The inbox is known everywhere.
  void on_reply(Exchange&, uint32_t, broker::Reply&) override { publish(); }
  bool is_patient() const override { return true; }

  void on_answer(const broker::Publication& answer) override {
    number_ = 0;
    exchange_.door().loop().timers().stop(timer_);
    std::string fields;
    append_message_fields(fields, answer.headers);
    exchange_.door().count().messages_out.add();
    exchange_.door().count().bytes_out.add(answer.payload.size());
    exchange_.answer({200, bytes_type, answer.payload, fields, answer.owner});
  }
  void on_stop(Exchange&) override { answer_error({base::Errc::shutting_down, {}}); }

 private:
  void publish() {
    std::string inbox = exchange_.door().inbox().expect(*this, number_);
    exchange_.door().loop().start(timer_, time_max_);
    count_in(exchange_, body_);
    broker::Engine::Reach reach =
        exchange_.engine().publish({subject_, inbox, headers_, body_, nullptr});
    body_ = std::string();  // While it waits it needs only the answer.
    if (reach.receivers == 0 && number_ != 0) answer_error({base::Errc::no_responders, {}});
  }
  void answer_error(const base::Error& error) {
    leave();
    exchange_.refuse(error);
  }
  void leave() {
    exchange_.door().loop().timers().stop(timer_);
    if (number_ != 0) exchange_.door().inbox().leave(number_);
    number_ = 0;
  }

  Exchange& exchange_;
  const std::string subject_;
  const std::string headers_;
  std::string body_;
  const Duration time_max_;
  uint64_t number_ = 0;  // In the inbox; 0: not waiting there.
  net::Timer timer_;
};

}  // namespace

void publish_message(Exchange& exchange) {
  Addressed to;
  Query query(exchange.head().query);
  bool answers = query.text("reply_to", to.reply_to);
  if (base::Result<> read = query.finish(); !read) return exchange.refuse(read.error());
  if (base::Result<> read = read_address(exchange, to); !read) return exchange.refuse(read.error());
  if (answers)
    if (base::Result<> valid = check_subject(to.reply_to); !valid)
      return exchange.refuse(valid.error());
  // The owner holds the payload, but the headers lie elsewhere.
  const SharedBytes* owner = to.headers.empty() ? exchange.body_owner() : nullptr;
  uint32_t receivers =
      publish_now(exchange, {to.subject, to.reply_to, to.headers, exchange.body(), owner});
  exchange.answer_json(api::done_json({receivers}) + "\n");
}

void publish_messages(Exchange& exchange) {
  BytesView type = exchange.head().content_type;
  const HttpOptions& options = exchange.door().options();
  if (base::Result<> read = Query(exchange.head().query).finish(); !read)
    return exchange.refuse(read.error());
  std::vector<MessageLine> messages;
  if (is_json_lines(type)) {
    base::Result<std::vector<MessageLine>> lines =
        read_message_lines(exchange.body(), true, options);
    if (!lines) return exchange.refuse(lines.error());
    messages = std::move(*lines);
  } else if (takes_json(type)) {
    base::Result<MessageLine> one = read_message_object(exchange.body(), true, options);
    if (!one) return exchange.refuse(one.error());
    messages.push_back(std::move(*one));
  } else {
    return exchange.refuse({base::Errc::unsupported_media, "or application/x-ndjson"});
  }
  uint64_t receivers = 0;
  for (const MessageLine& line : messages)
    receivers += publish_now(exchange, {*line.subject, line.reply_to.value_or(BytesView()),
                                        line.message.headers(), line.message.payload(), nullptr});
  exchange.answer_json(api::done_json({receivers}) + "\n");
}

void request(Exchange& exchange) {
  Addressed to;
  Duration time_max = exchange.door().options().request_time_default;
  Query query(exchange.head().query);
  query.milliseconds("timeout_ms", 1, request_ms_max, time_max);
  if (base::Result<> read = query.finish(); !read) return exchange.refuse(read.error());
  if (base::Result<> read = read_address(exchange, to); !read) return exchange.refuse(read.error());
  auto waiter = std::make_unique<RequestWaiter>(exchange, to, time_max);
  RequestWaiter& waits = *waiter;
  exchange.await(std::move(waiter));
  waits.begin();
}

}  // namespace tram::protocols::http::routes
