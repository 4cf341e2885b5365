// GopherMQ's endpoints, answer for answer. Where we differ, and why: docs/protocols/http.md.
#include "tram/broker/subject.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/http/error_status.h"
#include "tram/protocols/http/exchange.h"
#include "tram/protocols/http/gopher_json.h"
#include "tram/protocols/http/routes/routes.h"

namespace tram::protocols::http::routes {

namespace {

constexpr BytesView status_ok = "{\"status\":\"ok\"}\n";

void say(Exchange& exchange, int status, BytesView message) {
  if (status != 200) exchange.door().count().errors.add();
  exchange.answer({status, gopher_json_type, gopher_message_json(message)});
}

// Reads the body as echo binds it: by the type that it is said to have.
bool bind(Exchange& exchange, const GopherMembers& members) {
  const RequestHead& head = exchange.head();
  // No body binds nothing, whatever it is said to be.
  if (exchange.body().empty() && !head.chunked) return true;
  bool read = false;
  if (head.content_type.starts_with(json_type))
    read = read_gopher_json(exchange.body(), members);
  else  // A form is read, and has no member that binds.
    read = head.content_type.starts_with("application/x-www-form-urlencoded") ||
           head.content_type.starts_with("multipart/form-data");
  if (!read) say(exchange, 400, "request's body is invalid");
  return read;
}

bool check_subject(Exchange& exchange, bool valid) {
  if (!valid) say(exchange, 400, "invalid subject");
  return valid;
}

bool check_size(Exchange& exchange, BytesView data) {
  if (data.size() <= exchange.door().options().message_bytes_max) return true;
  exchange.refuse({base::Errc::message_too_large, {}});
  return false;
}

void say_error(Exchange& exchange, const base::Error& error) {
  using enum base::Errc;
  switch (error.code) {
    case invalid_subject:
    case wildcard_in_publish:
      return say(exchange, 400, "invalid subject");
    case no_responders:
      return say(exchange, 404, "subscriber not found");
    case overflow:
      return say(exchange, 429, "broker overflow");
    case mailbox_not_found:
      return say(exchange, 404, "bad id");
    default:  // What GopherMQ has no words for, it gets from us.
      return exchange.refuse(error);
  }
}

class PublishReply final : public ReplyHandler {
 public:
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return say_error(exchange, *error);
    exchange.answer({200, gopher_json_type, status_ok});
  }
};

class SubscribeReply final : public ReplyHandler {
 public:
  SubscribeReply(broker::MailboxId id, BytesView subject) : id_(id), subject_(subject) {}
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return say_error(exchange, *error);
    std::string json = R"({"id":")" + broker::to_text(id_) + R"(","subject":)";
    append_gopher_string(json, subject_);
    exchange.answer({200, gopher_json_type, json + "}\n"});
  }

 private:
  const broker::MailboxId id_;
  const std::string subject_;
};

class FetchReply final : public ReplyHandler {
 public:
  FetchReply(BytesView subject, BytesView id) : subject_(subject), id_(id) {}
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return say_error(exchange, *error);
    auto& contents = std::get<broker::MailboxContents>(reply);
    DoorCounters& count = exchange.door().count();
    std::string json = R"({"data":[)";
    for (const broker::Content& message : contents.messages) {
      if (json.back() != '[') json += ',';
      append_gopher_string(json, message.payload());
      count.messages_out.add();
      count.bytes_out.add(message.payload().size());
    }
    json += R"(],"id":)";
    append_gopher_string(json, id_);
    json += R"(,"subject":)";
    append_gopher_string(json, subject_);
    exchange.answer({200, gopher_json_type, json + "}\n"});
  }

 private:
  const std::string subject_;
  const std::string id_;
};

// Without state, so one for everybody.
PublishReply publish_reply;

// As the original compares them: the very text that it gave.
std::optional<broker::MailboxId> mailbox_of(BytesView text) {
  std::optional<broker::MailboxId> id = broker::parse_mailbox_id(text);
  return id && broker::to_text(*id) == text ? id : std::nullopt;
}

}  // namespace

void gopher_publish(Exchange& exchange) {
  GopherText subject;
  GopherText data;
  if (!bind(exchange, {.subject = &subject, .data = &data})) return;
  if (!check_subject(exchange, broker::valid_subject(subject.view()))) return;
  if (!check_size(exchange, data.view())) return;
  DoorCounters& count = exchange.door().count();
  count.messages_in.add();
  count.bytes_in.add(data.view().size());
  exchange.await(publish_reply);
  exchange.engine().publish_checked(
      exchange.caller(), exchange.ticket(),
      {subject.view(), {}, {}, data.view(), data.plain() ? exchange.body_owner() : nullptr});
}

void gopher_publish_async(Exchange& exchange) {
  GopherText subject;
  GopherText data;
  if (!bind(exchange, {.subject = &subject, .data = &data})) return;
  if (!check_size(exchange, data.view())) return;
  if (!exchange.door().async().publish(std::string(subject.view()), std::string(data.view())))
    return say(exchange, 429, "broker overflow");
  DoorCounters& count = exchange.door().count();
  count.messages_in.add();
  count.bytes_in.add(data.view().size());
  exchange.answer({200, gopher_json_type, status_ok});
}

void gopher_subscribe(Exchange& exchange) {
  GopherText subject;
  if (!bind(exchange, {.subject = &subject})) return;
  if (!check_subject(exchange, broker::valid_pattern(subject.view()))) return;
  broker::MailboxId id = exchange.door().shared().draw_id();
  exchange.await(std::make_unique<SubscribeReply>(id, subject.view()));
  exchange.engine().submit(exchange.caller(), exchange.ticket(),
                           broker::OpenMailbox{id, subject.view()});
}

void gopher_unsubscribe(Exchange& exchange) {
  GopherText subject;
  GopherText id;
  if (!bind(exchange, {.subject = &subject, .id = &id})) return;
  if (!check_subject(exchange, broker::valid_pattern(subject.view()))) return;
  std::optional<broker::MailboxId> mailbox = mailbox_of(id.view());
  if (!mailbox) return say(exchange, 404, "bad id");
  exchange.await(publish_reply);
  exchange.engine().submit(exchange.caller(), exchange.ticket(), broker::CloseMailbox{*mailbox});
}

void gopher_fetch(Exchange& exchange) {
  GopherText subject;
  GopherText id;
  if (!bind(exchange, {.subject = &subject, .id = &id})) return;
  // Its one inconsistency, which a client may have met.
  if (!broker::valid_pattern(subject.view())) return say(exchange, 500, "server error");
  std::optional<broker::MailboxId> mailbox = mailbox_of(id.view());
  if (!mailbox) return say(exchange, 404, "bad id");
  exchange.await(std::make_unique<FetchReply>(subject.view(), id.view()));
  exchange.engine().submit(exchange.caller(), exchange.ticket(),
                           broker::FetchMailbox{*mailbox, subject.view()});
}

}  // namespace tram::protocols::http::routes
