// Everything that one shard's state machine knows. A plain record: commands/ and
// transitions.h change it, invariants.h says when it is in order.
#pragma once

#include "tram/broker/broker.h"
#include "tram/broker/mailboxes.h"
#include "tram/broker/queue_table.h"

namespace tram::broker {

struct State {
  State(uint32_t shard_number, const Limits& limits_given)
      : shard(shard_number),
        limits(limits_given),
        queues(limits_given.queue_idle_expiry),
        mailboxes(limits, totals) {}

  const uint32_t shard;
  const Limits limits;
  Totals totals;
  uint64_t last_message = 0;  // The sequence part of the youngest message's id.

  // Leases and takers point into queues, so they go first.
  QueueTable queues;
  LeaseTable leases;
  WaitingTakers takers;
  Mailboxes mailboxes;
};

}  // namespace tram::broker
