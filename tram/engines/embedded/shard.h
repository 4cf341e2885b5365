// One shard: one state machine and its clockwork, on one loop.
//
// This is where stored messages will meet their log: between `apply` and the replies.
#pragma once

#include <functional>
#include <vector>

#include "tram/base/counter.h"
#include "tram/broker/broker.h"
#include "tram/net/loop.h"

namespace tram::engines::embedded {

// The state machine's totals, copied at the end of turns for readers on other threads.
struct ShardCounters {
  base::Counter queues, ready, leased, stored_bytes, waiting_takers;
  base::Counter puts, deliveries, redeliveries, acks, releases, leases_expired;
  base::Counter mailboxes, mailbox_messages, mailbox_drops;
};

class Shard final : public net::TurnEnd {
 public:
  // `act` carries out effects; it may call `apply` again.
  Shard(uint32_t number, net::Loop& loop, const broker::Limits& limits,
        std::function<void(broker::Effects&)> act);
  ~Shard();

  void apply(broker::Command& command, broker::CallerId caller, broker::Ticket ticket);
  // Carries out a command that has exactly one reply, and returns it instead of acting on it.
  broker::Reply ask(broker::Command command);

  const ShardCounters& counters() const { return counters_; }

 private:
  void on_turn_end() override;
  void on_deadline();
  void act_on(broker::Effects& effects);
  void watch_deadline();

  net::Loop& loop_;
  broker::Broker broker_;
  std::function<void(broker::Effects&)> act_;
  net::Timer deadline_;
  // Used again and again; several, as acting on effects may apply the next command.
  std::vector<broker::Effects> spare_;
  uint64_t stored_peak_ = 0;
  ShardCounters counters_;
};

}  // namespace tram::engines::embedded
