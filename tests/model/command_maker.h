// Random commands that are worth trying: few names, few callers, answers to deliveries that
// were really made, and now and then something wrong.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tram/base/random.h"
#include "tram/broker/command.h"
#include "tram/broker/effect.h"
#include "tram/broker/limits.h"

namespace tram::test {

class CommandMaker {
 public:
  explicit CommandMaker(uint64_t seed) : random_(seed) {}

  // Limits so small that they are reached all the time.
  broker::Limits limits() {
    using namespace std::chrono_literals;
    broker::Limits limits;
    limits.queues_max = static_cast<uint32_t>(1 + random_.below(4));
    limits.waiting_takers_max = static_cast<uint32_t>(random_.below(4));
    limits.queue_idle_expiry = duration(random_.one_in(2) ? 40 : 1'000);
    limits.stored_bytes_max = 100 + random_.below(3'000);
    limits.mailbox_pending_max = random_.below(4);
    limits.mailbox_bytes_max = 200 + random_.below(2'000);
    limits.mailboxes_max = static_cast<uint32_t>(1 + random_.below(4));
    limits.mailbox_idle_expiry = duration(random_.one_in(2) ? 40 : 1'000);
    return limits;
  }
  base::Random& random() { return random_; }
  broker::CallerId caller() { return {random_.below(4)}; }
  base::Duration duration(uint64_t milliseconds) {
    return base::Duration::from_milliseconds(static_cast<int64_t>(1 + random_.below(milliseconds)));
  }

  // Its texts stay valid as long as the maker.
  // `step` is the ticket of this command; those of earlier ones are smaller.
  broker::Command next(uint64_t step) {
    using namespace broker;
    switch (random_.below(24)) {
      default:
        return Put{queue(), content()};
      case 5:
      case 6:
      case 7:
      case 8:
        return take();
      case 9:
      case 10: {
        Known known = delivered();
        return Ack{known.queue, known.id, known.token};
      }
      case 11: {
        Known known = delivered();
        return Release{known.queue, known.id, known.token, random_.one_in(2)};
      }
      case 12: {
        Known known = delivered();
        return Extend{known.queue, known.id, known.token, extension()};
      }
      case 13:
        if (random_.one_in(3)) return Depart{};
        if (random_.one_in(2))
          return StopTaking{queue(), {step - random_.below(std::min<uint64_t>(step, 16))}};
        return ListQueues{};
      case 14:
        if (random_.one_in(4)) return DeleteQueue{queue()};
        if (random_.one_in(3)) return PurgeQueue{queue()};
        return ShowQueue{queue()};
      case 15:
        if (random_.one_in(4)) return CloseMailbox{mailbox()};
        return opening();
      case 18: {
        MailboxId id = mailbox();
        return FetchMailbox{id, pattern_of(id)};
      }
      case 16:
      case 17:
      case 20:
      case 21:
      case 22:
      case 23:
        return Deposit{mailbox(), subject(), content()};
      case 19:
        return CheckPending{subject()};
    }
  }

  // Remembers the deliveries, so as to answer them.
  void learn(const broker::Effects& effects) {
    for (auto& effect : effects.replies) {
      auto* delivery = std::get_if<broker::Delivery>(&effect.reply);
      if (!delivery) continue;
      Known known{queue_named(delivery->queue), delivery->id, delivery->token};
      if (known_.size() < 16) {
        known_.push_back(known);
      } else {
        known_[random_.below(known_.size())] = known;
      }
    }
  }

 private:
  struct Known {
    std::string_view queue;
    broker::MessageId id;
    broker::LeaseToken token;
  };
  static constexpr std::array<std::string_view, 6> some_queues = {"a", "b", "c",
                                                                  "d", "e", "not good"};
  static constexpr std::array<std::string_view, 4> some_subjects = {"x", "x.y", "y", "x.z"};
  static constexpr std::array<std::string_view, 6> some_patterns = {"x",   "x.*", ">",
                                                                    "x.y", "y",   "x..y"};

  template <size_t n>
  std::string_view one_of(const std::array<std::string_view, n>& names) {
    return names[random_.below(n)];
  }
  // The first ones more often, so that something happens to them.
  std::string_view queue() {
    if (random_.one_in(3)) return one_of(some_queues);
    return some_queues[random_.below(2)];
  }
  static std::string_view queue_named(std::string_view name) {
    for (auto one : some_queues)
      if (one == name) return one;
    return {};
  }
  std::string_view subject() { return one_of(some_subjects); }
  // Nearly always the same for the same mailbox.
  std::string_view pattern_of(broker::MailboxId id) {
    if (random_.one_in(8)) return one_of(some_patterns);
    return some_patterns[id.high & 3];
  }
  broker::MailboxId mailbox() { return broker::mailbox_id_from_random(random_.below(4), 7); }
  broker::OpenMailbox opening() {
    broker::MailboxId id = mailbox();
    return {id, pattern_of(id)};
  }
  broker::FetchMailbox fetching() {
    broker::MailboxId id = mailbox();
    return {id, pattern_of(id)};
  }
  broker::Content content() {
    std::string payload = std::to_string(++last_content_) + std::string(random_.below(40), '.');
    return broker::Content(random_.one_in(4) ? "NATS/1.0\r\n\r\n" : "", payload);
  }
  broker::Take take() {
    broker::Take take{.queue = queue(),
                      .count = static_cast<uint32_t>(1 + random_.below(4)),
                      .wait = random_.one_in(3) ? base::Duration() : duration(20),
                      .linger = random_.one_in(2) ? base::Duration() : duration(10),
                      .lease = duration(20),
                      .bound_to_caller = !random_.one_in(3)};
    switch (random_.below(60)) {
      case 0:
        take.count = 0;
        break;
      case 1:
        take.count = broker::Limits::take_count_max + 1;
        break;
      case 2:
        take.wait = base::Duration::from_nanoseconds(-1);
        break;
      case 3:
        take.wait = base::Duration::forever();
        break;
      case 4:
        take.linger = base::Duration::from_nanoseconds(-1);
        break;
      case 5:
        take.linger = broker::Limits::take_wait_max + std::chrono::nanoseconds(1);
        break;
      case 6:
        take.lease = base::Duration::from_nanoseconds(999'999);
        break;
      case 7:
        take.lease = base::Duration::forever();
        break;
      case 8:
        take.count = broker::Limits::take_count_max;
        break;
      default:
        break;
    }
    return take;
  }
  base::Duration extension() {
    switch (random_.below(10)) {
      case 0:
        return base::Duration::from_nanoseconds(-5);
      case 1:
        return base::Duration::forever();
      case 2:
      case 3:
      case 4:
        return {};
      default:
        return duration(20);
    }
  }
  // Mostly right: sometimes another's token, id, or queue.
  Known delivered() {
    if (known_.empty()) return {queue(), {1}, {1}};
    Known known = known_[random_.below(known_.size())];
    if (random_.one_in(15)) known.token.value += 1;
    if (random_.one_in(15)) known.id.value += broker::shards_max;
    if (random_.one_in(15)) known.queue = queue();
    return known;
  }

  base::Random random_;
  std::vector<Known> known_;
  uint64_t last_content_ = 0;
};

}  // namespace tram::test
