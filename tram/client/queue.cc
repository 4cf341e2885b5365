#include "tram/client/queue.h"

#include <fmt/core.h>

#include "tram/client/queue_replies.h"
#include "tram/client/subject.h"

namespace tram::client {

using base::BytesView;
using base::Duration;
using base::Errc;
using base::Error;
using base::failure;
using base::Result;

namespace {

Error explained(Error error) {
  if (error.code == Errc::no_responders && error.detail.empty()) {
    error.detail = "this server has no queues: is it a Tram broker?";
  }
  return error;
}

bool is_end(int status) { return status == 404 || status == 408; }

}  // namespace

Result<Message> Queues::ask(const std::string& subject, BytesView body, Duration timeout,
                            BytesView headers) {
  auto reply = client_.request(subject, body, {.headers = headers, .timeout = timeout});
  if (!reply) return std::unexpected(explained(reply.error()));
  if (auto error = error_in(*reply)) return std::unexpected(*error);
  return reply;
}

Result<PutReply> Queues::put(std::string_view queue, BytesView body, BytesView headers) {
  if (auto valid = check_queue_name(queue); !valid) return std::unexpected(valid.error());
  auto reply = ask(fmt::format("$TRAM.PUT.{}", queue), body, timeout_, headers);
  if (!reply) return std::unexpected(reply.error());
  return parse_put_reply(reply->payload);
}

Result<> Queues::put_later(std::string_view queue, BytesView body, BytesView headers,
                           PutHandler handler) {
  if (auto valid = check_queue_name(queue); !valid) return valid;
  auto told = [handler = std::move(handler)](const Result<Message>& reply) {
    if (!reply) return handler(std::unexpected(explained(reply.error())));
    if (auto error = error_in(*reply)) return handler(std::unexpected(*error));
    handler(parse_put_reply(reply->payload));
  };
  auto sent = client_.request_later(fmt::format("$TRAM.PUT.{}", queue), body,
                                    {.headers = headers, .timeout = timeout_}, std::move(told));
  if (!sent) return std::unexpected(sent.error());
  return {};
}

Result<std::optional<Delivery>> Queues::get(std::string_view queue, Duration wait) {
  if (auto valid = check_queue_name(queue); !valid) return std::unexpected(valid.error());
  auto body = fmt::format(R"({{"wait_ms":{}}})", wait.milliseconds());
  auto reply = ask(fmt::format("$TRAM.GET.{}", queue), body, wait + timeout_);
  if (!reply) return std::unexpected(reply.error());
  if (is_end(reply->headers.status())) return std::nullopt;
  auto delivery = parse_delivery(*reply);
  if (!delivery) return std::unexpected(delivery.error());
  return std::move(*delivery);
}

Result<std::vector<Delivery>> Queues::take(std::string_view queue, const TakeOptions& options) {
  if (auto valid = check_queue_name(queue); !valid) return std::unexpected(valid.error());
  auto body = fmt::format(R"({{"n":{},"wait_ms":{},"lease_ms":{},"linger_ms":{}}})", options.n,
                          options.wait.milliseconds(), options.lease.milliseconds(),
                          options.linger.milliseconds());
  std::vector<Delivery> taken;
  std::optional<Error> error;
  bool done = false;
  auto told = [&](const Result<Message>& reply) {
    if (!reply) {
      error = explained(reply.error());
      done = true;
      return;
    }
    if (is_end(reply->headers.status())) {
      done = true;
      return;
    }
    error = error_in(*reply);
    if (!error) {
      auto delivery = parse_delivery(*reply);
      if (delivery) taken.push_back(std::move(*delivery));
      if (!delivery) error = delivery.error();
    }
    done = error || taken.size() >= options.n;
  };
  RequestOptions request{.replies_max = options.n + 1,
                         .timeout = options.wait + options.linger + timeout_};
  auto number = client_.request_later(fmt::format("$TRAM.TAKE.{}", queue), body, request, told);
  if (!number) return std::unexpected(number.error());
  auto read = client_.run_until([&] { return done; }, Duration::forever());
  client_.forget(*number);
  if (error) {
    // What is in hand already is worth more than the news that there is no more of it.
    if (!taken.empty() && error->code == Errc::timed_out) return taken;
    return std::unexpected(*error);
  }
  if (!read) return std::unexpected(read.error());
  return taken;
}

Result<> Queues::answer(const Delivery& delivery, BytesView word) {
  auto reply = ask(delivery.answer_to, word, timeout_);
  if (!reply) return std::unexpected(reply.error());
  return {};
}

Result<> Queues::ack_later(const Delivery& delivery, AnswerHandler handler) {
  auto told = [handler = std::move(handler)](const Result<Message>& reply) {
    if (!reply) return handler(std::unexpected(explained(reply.error())));
    if (auto error = error_in(*reply)) return handler(std::unexpected(*error));
    handler({});
  };
  auto sent =
      client_.request_later(delivery.answer_to, "+ACK", {.timeout = timeout_}, std::move(told));
  if (!sent) return std::unexpected(sent.error());
  return {};
}

Result<std::vector<QueueInfo>> Queues::list() {
  auto reply = ask("$TRAM.API.QUEUE.LIST", {}, timeout_);
  if (!reply) return std::unexpected(reply.error());
  return parse_queue_list(reply->payload);
}

Result<QueueInfo> Queues::show(std::string_view queue) {
  if (auto valid = check_queue_name(queue); !valid) return std::unexpected(valid.error());
  auto reply = ask(fmt::format("$TRAM.API.QUEUE.INFO.{}", queue), {}, timeout_);
  if (!reply) return std::unexpected(reply.error());
  return parse_queue_info(reply->payload);
}

Result<uint64_t> Queues::remove(std::string_view queue) {
  if (auto valid = check_queue_name(queue); !valid) return std::unexpected(valid.error());
  auto reply = ask(fmt::format("$TRAM.API.QUEUE.DELETE.{}", queue), {}, timeout_);
  if (!reply) return std::unexpected(reply.error());
  return parse_removed(reply->payload);
}

Result<uint64_t> Queues::purge(std::string_view queue) {
  if (auto valid = check_queue_name(queue); !valid) return std::unexpected(valid.error());
  auto reply = ask(fmt::format("$TRAM.API.QUEUE.PURGE.{}", queue), {}, timeout_);
  if (!reply) return std::unexpected(reply.error());
  return parse_removed(reply->payload);
}

Result<BrokerInfo> Queues::broker() {
  auto reply = ask("$TRAM.API.INFO", {}, timeout_);
  if (!reply) return std::unexpected(reply.error());
  return parse_broker_info(reply->payload);
}

}  // namespace tram::client
