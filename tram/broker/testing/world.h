// A broker, a clock wound by hand, and what they say, as text: for tests that tell a story.
//
//   World world;
//   world.put("jobs", "a");
//   CHECK(world.take("jobs") == "1.2 a from jobs id=1/0 token=1 attempt=1 remaining=0 age=0ns\n");
#pragma once

#include <string>

#include "tram/broker/broker.h"
#include "tram/broker/testing/effects_text.h"

namespace tram::test {

class World {
 public:
  explicit World(const broker::Limits& limits = {}) : broker_(0, limits) {}

  // What follows from the command; the state is checked after it.
  std::string run(broker::Command command, uint64_t caller = 1) {
    broker_.apply(command, {caller}, {++last_ticket_}, now_, effects_);
    return said();
  }
  std::string advance(base::Duration duration) {
    now_ = now_ + duration;
    broker_.advance(now_, effects_);
    return said();
  }

  std::string put(std::string_view queue, std::string_view payload) {
    return run(broker::Put{queue, broker::Content("", payload)});
  }
  // Leases one message, and remembers how to answer for it: see `held`.
  std::string take(std::string_view queue, broker::Take take = {}, uint64_t caller = 1) {
    take.queue = queue;
    return run(take, caller);
  }
  std::string ack() { return run(broker::Ack{held_.queue, held_.id, held_.token}); }
  std::string release(bool attempted = true) {
    return run(broker::Release{held_.queue, held_.id, held_.token, attempted});
  }
  std::string extend(base::Duration lease) {
    return run(broker::Extend{held_.queue, held_.id, held_.token, lease});
  }
  // "ready 2 leased 1", or the error.
  std::string show(std::string_view queue) {
    broker::Command command = broker::ShowQueue{queue};
    broker_.apply(command, {1}, {++last_ticket_}, now_, effects_);
    broker::Reply reply = effects_.replies.back().reply;
    effects_.clear();
    auto* list = std::get_if<broker::QueueList>(&reply);
    if (!list) return test::ReplyText()(std::get<base::Error>(reply));
    return fmt::format("ready {} leased {}", list->queues[0].ready, list->queues[0].leased);
  }

  // The last message that was delivered.
  const broker::Delivery& held() const { return held_; }
  void hold(const broker::Delivery& delivery) { held_ = delivery; }
  broker::Broker& broker() { return broker_; }
  base::Time now() const { return now_; }

 private:
  std::string said() {
    broker_.check_invariants();
    for (auto& effect : effects_.replies)
      if (auto* delivery = std::get_if<broker::Delivery>(&effect.reply)) held_ = *delivery;
    std::string text = text_of(effects_);
    effects_.clear();
    return text;
  }

  broker::Broker broker_;
  base::Time now_ = base::Time::from_nanoseconds(1'000'000'000);
  broker::Effects effects_;
  uint64_t last_ticket_ = 0;
  broker::Delivery held_;
};

}  // namespace tram::test
