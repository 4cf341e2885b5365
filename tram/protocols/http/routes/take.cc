// Workers: get, take, and what to do with a lease.
#include <charconv>

#include "tram/protocols/api/json_request.h"
#include "tram/protocols/api/message_json.h"
#include "tram/protocols/api/replies.h"
#include "tram/protocols/api/take_options.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/http/exchange.h"
#include "tram/protocols/http/message_fields.h"
#include "tram/protocols/http/routes/routes.h"
#include "tram/protocols/http/target.h"

namespace tram::protocols::http::routes {

namespace {

constexpr Duration no_time = {};
constexpr BytesView empty_batch = "{\"messages\":[]}\n";

void count_out(Exchange& exchange, const broker::Delivery& delivery) {
  exchange.door().count().messages_out.add();
  exchange.door().count().bytes_out.add(delivery.content.payload().size());
}

std::string delivery_fields(const broker::Delivery& delivery) {
  std::string fields;
  append_field(fields, "Tram-Id", delivery.id.value);
  append_field(fields, "Tram-Queue", BytesView(delivery.queue));
  append_field(fields, "Tram-Attempt", delivery.attempt);
  append_message_fields(fields, delivery.content.headers());
  return fields;
}

void answer_raw(Exchange& exchange, const broker::Delivery& delivery, BytesView fields) {
  count_out(exchange, delivery);
  exchange.answer({200, bytes_type, delivery.content.payload(), fields, &delivery.content.bytes()});
}

// Nobody saw it: it goes back as if it had never been taken.
void give_back(broker::Engine& engine, BytesView queue, broker::MessageId id,
               broker::LeaseToken token) {
  engine.submit(broker::CallerId(), broker::Ticket(), broker::Release{queue, id, token, false});
}

// Take and acknowledge at once. The lease is bound to the connection, so whatever happens before
// the answer is on its way brings the message back.
class GetReply final : public ReplyHandler {
 public:
  explicit GetReply(bool waits) : waits_(waits) {}
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    auto* delivery = std::get_if<broker::Delivery>(&reply);
    if (!delivery) return exchange.answer({204});
    if (exchange.connection().ending())
      return give_back(exchange.engine(), delivery->queue, delivery->id, delivery->token);
    // This handler may be gone after the answer; the engine is not.
    broker::Engine& engine = exchange.engine();
    answer_raw(exchange, *delivery, delivery_fields(*delivery));
    engine.submit(broker::CallerId(), broker::Ticket(),
                  broker::Ack{delivery->queue, delivery->id, delivery->token});
  }
  bool is_patient() const override { return waits_; }

 private:
  const bool waits_;
};

class TakeReply final : public ReplyHandler {
 public:
  TakeReply(Exchange& exchange, BytesView queue, bool waits, bool raw)
      : exchange_(exchange), queue_(queue), waits_(waits), raw_(raw) {}
  // The answer never went out: what was taken for it goes back at once.
  ~TakeReply() override {
    for (const Held& held : held_) give_back(exchange_.engine(), queue_, held.id, held.token);
  }

  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    auto* delivery = std::get_if<broker::Delivery>(&reply);
    if (exchange.connection().ending()) {
      // Nobody is there to answer; what is held goes back with this handler.
      if (delivery) give_back(exchange.engine(), queue_, delivery->id, delivery->token);
      return;
    }
    if (!delivery) return finish();
    if (size_ > exchange.door().options().answer_bytes_max)
      give_back(exchange.engine(), queue_, delivery->id, delivery->token);
    else if (raw_)
      return finish_raw(*delivery);
    else
      add(*delivery);
    if (delivery->remaining == 0) finish();
  }
  bool is_patient() const override { return waits_; }
  void on_stop(Exchange& exchange) override {
    if (held_.empty()) return exchange.refuse({base::Errc::shutting_down, {}});
    finish();
  }

 private:
  struct Held {
    broker::MessageId id;
    broker::LeaseToken token;
  };

  void add(const broker::Delivery& delivery) {
    held_.push_back({delivery.id, delivery.token});
    size_ += delivery.content.size();
    count_out(exchange_, delivery);
    json_ += json_.empty() ? R"({"messages":[{"id":)" : R"(,{"id":)";
    api::append_json_number(json_, delivery.id.value);
    json_ += R"(,"lease":")";
    api::append_json_number(json_, delivery.token.value);
    json_ += R"(","attempt":)";
    api::append_json_number(json_, delivery.attempt);
    json_ += R"(,"age_ms":)";
    api::append_json_number(json_, static_cast<uint64_t>(delivery.age.milliseconds()));
    json_ += ',';
    api::append_message_members(json_, delivery.content.headers(), delivery.content.payload());
    json_ += '}';
  }
  void finish() {
    held_.clear();
    if (raw_) return exchange_.answer({204});
    if (json_.empty()) return exchange_.answer_json(empty_batch);
    json_ += "]}\n";
    exchange_.answer_json(json_);
  }
  void finish_raw(const broker::Delivery& delivery) {
    std::string fields = delivery_fields(delivery);
    append_field(fields, "Tram-Lease", delivery.token.value);
    append_field(fields, "Tram-Age-Ms", static_cast<uint64_t>(delivery.age.milliseconds()));
    answer_raw(exchange_, delivery, fields);
  }

  Exchange& exchange_;
  const std::string queue_;
  const bool waits_;
  const bool raw_;
  std::vector<Held> held_;
  uint64_t size_ = 0;
  std::string json_;
};

class SettleReply final : public ReplyHandler {
 public:
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    exchange.answer_json(api::done_json(std::get<broker::Done>(reply)) + "\n");
  }
};

SettleReply settle_reply;  // Without state, so one for everybody.

// Which message, and the proof that it is held: /queues/{queue}/messages/{id}, and the lease in
// the query or in a JSON body, with what else the request takes there.
struct Settlement {
  std::string room;
  BytesView queue;
  uint64_t id = 0;
  uint64_t lease = 0;
  bool attempted = true;
  Duration lease_time;
};
enum class Settles { ack, release, extend };

base::Result<> read_settlement(Exchange& exchange, Settles what, Settlement& to) {
  base::Result<BytesView> queue = checked_queue(exchange, to.room);
  if (!queue) return std::unexpected(queue.error());
  to.queue = *queue;
  base::Result<std::string> digits = exchange.parameter(1);
  if (!digits) return std::unexpected(digits.error());
  auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), to.id);
  if (error != std::errc() || end != digits->data() + digits->size())
    return base::failure(base::Errc::invalid_argument, "a message's id is a whole number");

  auto read = [&](auto& from) {
    if (what == Settles::release) from.boolean("attempted", to.attempted);
    if (what == Settles::extend) from.milliseconds("lease_ms", 1, api::lease_ms_max, to.lease_time);
    return from.finish();
  };
  api::JsonRequest body = api::JsonRequest::parse(exchange.body());
  body.id("lease", to.lease);
  if (base::Result<> done = read(body); !done) return done;
  Query query(exchange.head().query);
  query.number("lease", 0, UINT64_MAX, to.lease);
  if (base::Result<> done = read(query); !done) return done;
  if (to.lease == 0)
    return base::failure(base::Errc::invalid_argument, "\"lease\" is needed: the take gave it");
  return {};
}

// True, and the exchange awaits, if the request is in order.
bool begin_settlement(Exchange& exchange, Settles what, Settlement& to) {
  if (base::Result<> read = read_settlement(exchange, what, to); !read) {
    exchange.refuse(read.error());
    return false;
  }
  exchange.await(settle_reply);
  return true;
}

}  // namespace

void get_message(Exchange& exchange) {
  Duration wait;
  Query query(exchange.head().query);
  query.milliseconds("wait_ms", 0, api::wait_ms_max, wait);
  if (base::Result<> read = query.finish(); !read) return exchange.refuse(read.error());
  std::string room;
  base::Result<BytesView> queue = checked_queue(exchange, room);
  if (!queue) return exchange.refuse(queue.error());
  broker::Take take;
  take.queue = *queue;
  take.wait = wait;
  exchange.await(std::make_unique<GetReply>(wait > no_time));
  exchange.engine().submit(exchange.caller(), exchange.ticket(), take);
}

void take_messages(Exchange& exchange) {
  std::string room;
  base::Result<BytesView> queue = checked_queue(exchange, room);
  if (!queue) return exchange.refuse(queue.error());
  base::Result<api::TakeOptions> options = api::parse_take_options(exchange.body());
  if (!options) return exchange.refuse(options.error());
  uint64_t count = options->count;
  Query query(exchange.head().query);
  query.number("n", 1, api::take_count_max, count);
  query.milliseconds("wait_ms", 0, api::wait_ms_max, options->wait);
  query.milliseconds("linger_ms", 0, api::linger_ms_max, options->linger);
  query.milliseconds("lease_ms", 1, api::lease_ms_max, options->lease);
  if (base::Result<> read = query.finish(); !read) return exchange.refuse(read.error());
  bool raw = count == 1 && same_token(media_type(exchange.head().accept), bytes_type);
  bool waits = options->wait > no_time || options->linger > no_time;
  broker::Take take;
  take.queue = *queue;
  take.count = static_cast<uint32_t>(count);
  take.wait = options->wait;
  take.linger = options->linger;
  take.lease = options->lease;
  // The worker's next request may come over another connection.
  take.bound_to_caller = false;
  exchange.await(std::make_unique<TakeReply>(exchange, *queue, waits, raw));
  exchange.engine().submit(exchange.caller(), exchange.ticket(), take);
}

void ack_message(Exchange& exchange) {
  Settlement to;
  if (begin_settlement(exchange, Settles::ack, to))
    exchange.engine().submit(exchange.caller(), exchange.ticket(),
                             broker::Ack{to.queue, {to.id}, {to.lease}});
}

void release_message(Exchange& exchange) {
  Settlement to;
  if (begin_settlement(exchange, Settles::release, to))
    exchange.engine().submit(exchange.caller(), exchange.ticket(),
                             broker::Release{to.queue, {to.id}, {to.lease}, to.attempted});
}

void extend_lease(Exchange& exchange) {
  Settlement to;
  if (begin_settlement(exchange, Settles::extend, to))
    exchange.engine().submit(exchange.caller(), exchange.ticket(),
                             broker::Extend{to.queue, {to.id}, {to.lease}, to.lease_time});
}

}  // namespace tram::protocols::http::routes
