// Effects as text, one line each: for tests to compare and for people to read.
#pragma once

#include <fmt/core.h>
#include <string>

#include "tram/broker/effect.h"

namespace tram::test {

inline std::string text_of(const broker::QueueInfo& info) {
  return fmt::format(
      "{}: ready={} leased={} bytes={} waiting={} puts={} deliveries={} redeliveries={} acks={} "
      "oldest={}ns",
      info.name, info.ready, info.leased, info.bytes, info.waiting_takers, info.puts,
      info.deliveries, info.redeliveries, info.acks, info.oldest_ready_age.nanoseconds());
}

struct ReplyText {
  std::string operator()(const base::Error& error) const {
    return fmt::format("{}: {}", name_of(error.code), error.text());
  }
  std::string operator()(const broker::Done& done) const {
    return fmt::format("done {}", done.count);
  }
  std::string operator()(const broker::Stored& stored) const {
    return fmt::format("stored {}/{} {}{}", stored.id.value >> broker::shard_bits,
                       shard_of(stored.id), name_of(stored.reached),
                       stored.duplicate ? " duplicate" : "");
  }
  std::string operator()(const broker::Delivery& delivery) const {
    return fmt::format(
        "{} from {} id={}/{} token={} attempt={} remaining={} age={}ns{}",
        delivery.content.payload(), delivery.queue, delivery.id.value >> broker::shard_bits,
        shard_of(delivery.id), delivery.token.value, delivery.attempt, delivery.remaining,
        delivery.age.nanoseconds(), delivery.content.headers().empty() ? "" : " with headers");
  }
  std::string operator()(const broker::TakeEnded& ended) const {
    return fmt::format("ended {} missing={}", ended.waited ? "waited" : "at once", ended.missing);
  }
  std::string operator()(const broker::QueueList& list) const {
    std::string text = "queues";
    for (const auto& info : list.queues) text += " [" + text_of(info) + "]";
    return text;
  }
  std::string operator()(const broker::MailboxContents& contents) const {
    std::string text = "mailbox";
    for (const auto& content : contents.messages) text.append(" ").append(content.payload());
    return text;
  }
};

// "caller.ticket reply" for each reply, then "expired mailbox" for each that has gone.
inline std::string text_of(const broker::Effects& effects) {
  std::string text;
  for (const auto& [caller, ticket, reply] : effects.replies)
    text += fmt::format("{}.{} {}\n", caller.value, ticket.value, std::visit(ReplyText(), reply));
  for (const auto& mailbox : effects.mailboxes_expired)
    text += fmt::format("expired {}\n", to_text(mailbox));
  return text;
}

}  // namespace tram::test
