#include "tram/protocols/nats/queue_requests.h"

#include <charconv>
#include <fmt/core.h>
#include <strings.h>
#include <utility>

#include "tram/base/assert.h"
#include "tram/broker/subject.h"
#include "tram/protocols/api/header_block.h"
#include "tram/protocols/api/replies.h"
#include "tram/protocols/api/take_options.h"
#include "tram/protocols/nats/door.h"
#include "tram/protocols/nats/session.h"
#include "tram/protocols/nats/tickets.h"

namespace tram::protocols::nats {

namespace {

constexpr BytesView header_line = "NATS/1.0\r\n";
constexpr BytesView option_prefix = "Tram-";

// Cuts `word` off the front of `text`, if it is there.
bool cut(BytesView& text, BytesView word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// Cuts the last token off as a number.
bool cut_last_number(BytesView& text, uint64_t& number) {
  size_t dot = text.rfind('.');
  if (dot == BytesView::npos) return false;
  BytesView digits = text.substr(dot + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  text = text.substr(0, dot);
  return true;
}

bool same_letters(BytesView a, BytesView b) {
  // The length is given, so no terminating zero is looked for.
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// What a put may ask for in headers. A wish that is not known is refused rather than passed over:
// a message that was to come tomorrow must not come today.
base::Result<> check_put_headers(BytesView headers) {
  for (api::HeaderFields fields(headers); fields.next();) {
    BytesView name = fields.name();
    if (name.size() < option_prefix.size() ||
        !same_letters(name.substr(0, option_prefix.size()), option_prefix))
      continue;
    if (same_letters(name, "Tram-Durability") && fields.value() == "memory") continue;
    return base::failure(base::Errc::invalid_argument,
                         fmt::format("header {}: {} is not something a put can ask of this version",
                                     name, fields.value()));
  }
  return {};
}

bool has_options(BytesView headers) {
  for (api::HeaderFields fields(headers); fields.next();)
    if (same_letters(fields.name().substr(0, option_prefix.size()), option_prefix)) return true;
  return false;
}

// The block without the fields that were for us; empty if nothing is left.
std::string without_options(BytesView headers) {
  std::string kept;
  for (api::HeaderFields fields(headers); fields.next();)
    if (!same_letters(fields.name().substr(0, option_prefix.size()), option_prefix))
      (void)api::append_header(kept, fields.name(), fields.value());
  return kept;
}

std::string status_block(const broker::TakeEnded& ended) {
  return fmt::format("NATS/1.0 {}\r\nTram-Missing: {}\r\n\r\n",
                     ended.waited ? "408 Request Timeout" : "404 No Messages", ended.missing);
}

}  // namespace

void QueueRequests::take(const broker::Publication& request) {
  BytesView rest = request.subject;
  rest.remove_prefix(BytesView("$TRAM.").size());
  if (cut(rest, "PUT."))
    put(rest, request);
  else if (cut(rest, "TAKE."))
    take_messages(Kind::take, rest, request);
  else if (cut(rest, "GET."))
    take_messages(Kind::get, rest, request);
  else if (cut(rest, "ACK."))
    settle(rest, request);
  else if (cut(rest, "API."))
    api(rest, request);
  else
    answer_error(request.reply_to, {base::Errc::unknown_request, std::string(request.subject)});
}

void QueueRequests::put(BytesView queue, const broker::Publication& request) {
  BytesView headers = request.headers;
  std::string kept;
  if (!headers.empty()) {
    if (base::Result<> checked = check_put_headers(headers); !checked) {
      answer_error(request.reply_to, checked.error());
      return;
    }
    if (has_options(headers)) {
      kept = without_options(headers);
      headers = kept;
    }
  }
  submit(Kind::put, queue, request.reply_to,
         broker::Put{queue, broker::Content(headers, request.payload)});
}

void QueueRequests::take_messages(Kind kind, BytesView queue, const broker::Publication& request) {
  if (request.reply_to.empty()) {
    answer_error({}, {base::Errc::invalid_argument, "a take or get needs a reply subject"});
    return;
  }
  base::Result<api::TakeOptions> options = api::parse_take_options(request.payload);
  if (options && kind == Kind::get && options->count != 1)
    options = base::failure(base::Errc::invalid_argument, "n: a get takes one message; use a take");
  if (!options) {
    answer_error(request.reply_to, options.error());
    return;
  }
  broker::Take take;
  take.queue = queue;
  take.count = options->count;
  take.wait = options->wait;
  take.linger = options->linger;
  take.lease = options->lease;
  submit(kind, queue, request.reply_to, take);
}

// <queue>.<id>.<token>: the queue's name may hold dots.
void QueueRequests::settle(BytesView rest, const broker::Publication& request) {
  BytesView word = request.payload;
  uint64_t token = 0;
  uint64_t id = 0;
  if (!cut_last_number(rest, token) || !cut_last_number(rest, id)) {
    answer_error(request.reply_to, {base::Errc::unknown_request, std::string(request.subject)});
    return;
  }
  // As in JetStream, nothing said is an acknowledgement.
  if (word.empty() || word == "+ACK" || word == "+TERM")
    submit(Kind::settle, rest, request.reply_to, broker::Ack{rest, {id}, {token}});
  else if (word == "-NAK")
    submit(Kind::settle, rest, request.reply_to, broker::Release{rest, {id}, {token}, true});
  else if (word == "+WPI")
    submit(Kind::settle, rest, request.reply_to, broker::Extend{rest, {id}, {token}, {}});
  else
    answer_error(request.reply_to,
                 {base::Errc::invalid_argument,
                  fmt::format("the answer to a lease is +ACK, -NAK, +WPI or +TERM, not {}",
                              word.substr(0, 40))});
}

void QueueRequests::api(BytesView rest, const broker::Publication& request) {
  if (rest == "INFO") {
    const NatsOptions& options = session_.door_.options();
    std::string info = "{\"server_name\":";
    api::append_json_string(info, options.server_name);
    info += ",\"server_id\":";
    api::append_json_string(info, options.server_id);
    info += ",\"version\":";
    api::append_json_string(info, options.tram_version);
    info += fmt::format(",\"max_payload\":{},\"uptime_ms\":{}}}", options.payload_max,
                        session_.door_.uptime().milliseconds());
    answer(request.reply_to, {}, info);
  } else if (rest == "QUEUE.LIST") {
    submit(Kind::list, {}, request.reply_to, broker::ListQueues{});
  } else if (cut(rest, "QUEUE.INFO.")) {
    submit(Kind::show, rest, request.reply_to, broker::ShowQueue{rest});
  } else if (cut(rest, "QUEUE.PURGE.")) {
    submit(Kind::change, rest, request.reply_to, broker::PurgeQueue{rest});
  } else if (cut(rest, "QUEUE.DELETE.")) {
    submit(Kind::change, rest, request.reply_to, broker::DeleteQueue{rest});
  } else {
    answer_error(request.reply_to, {base::Errc::unknown_request, std::string(request.subject)});
  }
}

void QueueRequests::submit(Kind kind, BytesView queue, BytesView reply_to,
                           broker::Command command) {
  auto number = static_cast<uint32_t>(pending_.size());
  if (free_.empty()) {
    pending_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  Pending& pending = pending_[number];
  pending.kind = kind;
  pending.reply_to = reply_to;
  pending.queue = queue;
  pending.abandoned = false;
  session_.door_.engine().submit(session_.caller(), ticket_of(TicketKind::queue_request, number),
                                 std::move(command));
}

void QueueRequests::finish(uint32_t number) { free_.push_back(number); }

void QueueRequests::on_reply(uint32_t number, broker::Reply& reply) {
  // A copy of what is needed: answering may bring the next request, and move `pending_`.
  const std::string reply_to = pending_[number].reply_to;
  if (auto* delivery = std::get_if<broker::Delivery>(&reply)) {
    deliver(number, *delivery);
    return;
  }
  if (auto* error = std::get_if<base::Error>(&reply)) {
    answer_error(reply_to, *error);
  } else if (auto* stored = std::get_if<broker::Stored>(&reply)) {
    if (!reply_to.empty()) answer(reply_to, {}, api::stored_json(pending_[number].queue, *stored));
  } else if (auto* ended = std::get_if<broker::TakeEnded>(&reply)) {
    answer(reply_to, status_block(*ended), {});
  } else if (auto* list = std::get_if<broker::QueueList>(&reply)) {
    answer(reply_to, {},
           pending_[number].kind == Kind::show ? api::queue_json(list->queues.front())
                                               : api::queues_json(*list));
  } else if (auto* done = std::get_if<broker::Done>(&reply)) {
    if (!reply_to.empty()) answer(reply_to, {}, api::done_json(*done));
  }
  finish(number);
}

void QueueRequests::deliver(uint32_t number, broker::Delivery& delivery) {
  const std::string reply_to = pending_[number].reply_to;
  const bool is_get = pending_[number].kind == Kind::get;
  if (delivery.remaining == 0) finish(number);
  broker::Engine& engine = session_.door_.engine();

  std::string headers =
      fmt::format("{}Tram-Id: {}\r\nTram-Queue: {}\r\nTram-Attempt: {}\r\n", header_line,
                  delivery.id.value, delivery.queue, delivery.attempt);
  std::string lease;
  if (!is_get) {
    headers += fmt::format("Tram-Lease: {}\r\n", delivery.token.value);
    lease =
        fmt::format("$TRAM.ACK.{}.{}.{}", delivery.queue, delivery.id.value, delivery.token.value);
  }
  BytesView own = delivery.content.headers();
  if (size_t first_line = own.find("\r\n"); first_line != BytesView::npos)
    headers += own.substr(first_line + 2);  // The message's own fields, and the empty line.
  else
    headers += "\r\n";

  if (answer(reply_to, headers, delivery.content.payload(), lease)) {
    if (is_get) engine.submit({}, {}, broker::Ack{delivery.queue, delivery.id, delivery.token});
    return;
  }
  // Nobody listens any more. First the take must end, or it would be handed the message again.
  // Its number is in use until its last reply, which may be on its way already.
  if (delivery.remaining > 0 && !std::exchange(pending_[number].abandoned, true))
    engine.submit(session_.caller(), {},
                  broker::StopTaking{delivery.queue, ticket_of(TicketKind::queue_request, number)});
  engine.submit({}, {}, broker::Release{delivery.queue, delivery.id, delivery.token, false});
}

bool QueueRequests::answer(BytesView reply_to, BytesView headers, BytesView payload,
                           BytesView answer_to) {
  if (!broker::valid_subject(reply_to)) return false;  // An empty one, for one.
  broker::Publication publication;
  publication.subject = reply_to;
  publication.reply_to = answer_to;
  publication.headers = headers;
  publication.payload = payload;
  return session_.door_.engine().publish(publication).receivers > 0;
}

void QueueRequests::answer_error(BytesView reply_to, const base::Error& error) {
  session_.door_.counters_of_sessions().errors.add();
  std::string headers;
  (void)api::append_header(headers, "Tram-Error", base::name_of(error.code));
  answer(reply_to, headers, api::error_json(error));
}

}  // namespace tram::protocols::nats
