// Queues: put messages into them, see them, tend them.
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

class PutReply final : public ReplyHandler {
 public:
  explicit PutReply(BytesView queue) : queue_(queue) {}
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    exchange.answer_json(api::stored_json(queue_, std::get<broker::Stored>(reply)) + "\n");
  }

 private:
  const std::string queue_;
};

// One line of answer for each message, in their order.
class PutLinesReply final : public ReplyHandler {
 public:
  PutLinesReply(BytesView queue, size_t count) : queue_(queue), missing_(count), lines_(count) {}
  void on_reply(Exchange& exchange, uint32_t part, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) {
      exchange.door().count().errors.add();
      lines_[part] = api::error_json(*error);
    } else {
      lines_[part] = api::stored_json(queue_, std::get<broker::Stored>(reply));
    }
    if (--missing_ > 0) return;
    std::string body;
    for (const std::string& line : lines_) body.append(line).append("\n");
    exchange.answer({200, lines_type, body});
  }

 private:
  const std::string queue_;
  size_t missing_;
  std::vector<std::string> lines_;
};

class ListReply final : public ReplyHandler {
 public:
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    exchange.answer_json(api::queues_json(std::get<broker::QueueList>(reply)) + "\n");
  }
};

class ShowReply final : public ReplyHandler {
 public:
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    const auto& list = std::get<broker::QueueList>(reply);
    exchange.answer_json(api::queue_json(list.queues.front()) + "\n");
  }
};

class DoneReply final : public ReplyHandler {
 public:
  void on_reply(Exchange& exchange, uint32_t, broker::Reply& reply) override {
    if (const auto* error = std::get_if<base::Error>(&reply)) return exchange.refuse(*error);
    exchange.answer_json(api::done_json(std::get<broker::Done>(reply)) + "\n");
  }
};

// Without state, so one for everybody.
ListReply list_reply;
ShowReply show_reply;
DoneReply done_reply;

void count_in(Exchange& exchange, BytesView payload) {
  exchange.door().count().messages_in.add();
  exchange.door().count().bytes_in.add(payload.size());
}

void put_lines(Exchange& exchange, BytesView queue) {
  base::Result<std::vector<MessageLine>> messages =
      read_message_lines(exchange.body(), false, exchange.door().options());
  if (!messages) return exchange.refuse(messages.error());
  if (messages->empty()) return exchange.answer({200, lines_type, {}});
  exchange.await(std::make_unique<PutLinesReply>(queue, messages->size()));
  for (uint32_t i = 0; i < messages->size(); ++i) {
    const api::MessageMembers& message = (*messages)[i].message;
    count_in(exchange, message.payload());
    exchange.engine().submit(
        exchange.caller(), exchange.ticket(i),
        broker::Put{queue, broker::Content(message.headers(), message.payload())});
  }
}

// A command about one queue, whose name is the path's parameter; no query.
template <class Command>
void submit_for_queue(Exchange& exchange, ReplyHandler& handler) {
  if (base::Result<> read = Query(exchange.head().query).finish(); !read)
    return exchange.refuse(read.error());
  std::string room;
  base::Result<BytesView> queue = checked_queue(exchange, room);
  if (!queue) return exchange.refuse(queue.error());
  exchange.await(handler);
  exchange.engine().submit(exchange.caller(), exchange.ticket(), Command{*queue});
}

}  // namespace

base::Result<BytesView> checked_queue(Exchange& exchange, std::string& room) {
  base::Result<BytesView> queue = exchange.parameter(0, room);
  if (queue && !broker::valid_queue_name(*queue))
    return base::failure(base::Errc::invalid_queue_name);
  return queue;
}

void put_message(Exchange& exchange) {
  if (base::Result<> read = Query(exchange.head().query).finish(); !read)
    return exchange.refuse(read.error());
  std::string room;
  base::Result<BytesView> queue = checked_queue(exchange, room);
  if (!queue) return exchange.refuse(queue.error());
  if (is_json_lines(exchange.head().content_type)) return put_lines(exchange, *queue);
  base::Result<std::string> headers = message_headers_of(exchange.head());
  if (!headers) return exchange.refuse(headers.error());
  count_in(exchange, exchange.body());
  exchange.await(std::make_unique<PutReply>(*queue));
  exchange.engine().submit(exchange.caller(), exchange.ticket(),
                           broker::Put{*queue, broker::Content(*headers, exchange.body())});
}

void list_queues(Exchange& exchange) {
  if (base::Result<> read = Query(exchange.head().query).finish(); !read)
    return exchange.refuse(read.error());
  exchange.await(list_reply);
  exchange.engine().submit(exchange.caller(), exchange.ticket(), broker::ListQueues{});
}

void show_queue(Exchange& exchange) { submit_for_queue<broker::ShowQueue>(exchange, show_reply); }
void delete_queue(Exchange& exchange) {
  submit_for_queue<broker::DeleteQueue>(exchange, done_reply);
}
void purge_queue(Exchange& exchange) { submit_for_queue<broker::PurgeQueue>(exchange, done_reply); }

}  // namespace tram::protocols::http::routes
