// Mailboxes: private queues fed by a subject, read by whoever knows the id.
#include "tram/broker/subject.h"
#include "tram/protocols/api/json_request.h"
#include "tram/protocols/api/json_text.h"
#include "tram/protocols/api/message_json.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/http/exchange.h"
#include "tram/protocols/http/routes/routes.h"
#include "tram/protocols/http/target.h"

namespace tram::protocols::http::routes {

namespace {

class Opened final : public ReplyHandler {
 public:
  Opened(broker::MailboxId id, BytesView subject) : id_(id), subject_(subject) {}
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    std::string json = R"({"id":")" + broker::to_text(id_) + R"(","subject":)";
    api::append_json_string(json, subject_);
    exchange.answer_json(json + "}\n", 201);
  }

 private:
  const broker::MailboxId id_;
  const std::string subject_;
};

class Fetched final : public ReplyHandler {
 public:
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    std::string json = R"({"messages":[)";
    for (const broker::Content& message : std::get<broker::MailboxContents>(reply).messages) {
      if (json.back() != '[') json += ',';
      json += '{';
      api::append_message_members(json, message.headers(), message.payload());
      json += '}';
      exchange.door().count().messages_out.add();
      exchange.door().count().bytes_out.add(message.payload().size());
    }
    exchange.answer_json(json + "]}\n");
  }
};

class Closed final : public ReplyHandler {
 public:
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    exchange.answer({204});
  }
};

// Without state, so one for everybody.
Fetched fetched;
Closed closed;

// What is not an id is the id of no mailbox.
std::optional<broker::MailboxId> mailbox_of(Exchange& exchange) {
  base::Result<std::string> text = exchange.parameter(0);
  std::optional<broker::MailboxId> id;
  if (text) id = broker::parse_mailbox_id(*text);
  if (!id) exchange.refuse({base::Errc::mailbox_not_found, {}});
  return id;
}

}  // namespace

void open_mailbox(Exchange& exchange) {
  std::optional<BytesView> subject;
  api::JsonRequest request = api::JsonRequest::parse(exchange.body());
  request.text("subject", subject);
  if (base::Result<> read = request.finish(); !read) return exchange.refuse(read.error());
  if (!subject) return exchange.refuse({base::Errc::invalid_argument, "\"subject\" is needed"});
  if (!broker::valid_pattern(*subject)) return exchange.refuse({base::Errc::invalid_subject, {}});
  broker::MailboxId id = exchange.door().shared().draw_id();
  exchange.await(std::make_unique<Opened>(id, *subject));
  exchange.engine().submit(exchange.caller(), exchange.ticket(), broker::OpenMailbox{id, *subject});
}

void fetch_mailbox(Exchange& exchange) {
  std::string subject;
  Query query(exchange.head().query);
  bool given = query.text("subject", subject);
  if (base::Result<> read = query.finish(); !read) return exchange.refuse(read.error());
  if (!given)
    return exchange.refuse(
        {base::Errc::invalid_argument, "\"subject\" is needed: the mailbox's, as it was opened"});
  std::optional<broker::MailboxId> id = mailbox_of(exchange);
  if (!id) return;
  exchange.await(fetched);
  exchange.engine().submit(exchange.caller(), exchange.ticket(),
                           broker::FetchMailbox{*id, subject});
}

void close_mailbox(Exchange& exchange) {
  std::optional<broker::MailboxId> id = mailbox_of(exchange);
  if (!id) return;
  exchange.await(closed);
  exchange.engine().submit(exchange.caller(), exchange.ticket(), broker::CloseMailbox{*id});
}

}  // namespace tram::protocols::http::routes
