// One queue: what waits in it, what is out on lease, who waits for it, and its counters.
//
// A plain record. The moves of a message from one state to the next, which keep its parts and
// the totals in step, are in transitions.h; which queues there are is queue_table.h's affair.
#pragma once

#include <string>

#include "tram/broker/lease_table.h"
#include "tram/broker/ready_list.h"
#include "tram/broker/reply.h"
#include "tram/broker/waiting_takers.h"

namespace tram::broker {

struct Queue : base::Link<struct AllQueues>, base::Link<struct IdleQueues> {
  std::string name;
  ReadyList ready;
  base::IntrusiveList<Lease, struct QueueLeases> leases;
  base::IntrusiveList<Taker, struct QueueLine> line;  // First come, first served.
  uint64_t leased = 0;
  uint64_t waiting = 0;
  uint64_t bytes = 0;  // Of content, ready and leased.
  uint64_t puts = 0;
  uint64_t deliveries = 0;
  uint64_t redeliveries = 0;
  uint64_t acks = 0;
  bool to_serve = false;  // While a command that touches many queues has yet to serve this one.
  base::Time idle_since;  // While it is in the table's list of idle queues.

  // Nothing in it and nobody at it.
  bool idle() const { return ready.empty() && leased == 0 && waiting == 0; }
  QueueInfo info(base::Time now);
};

}  // namespace tram::broker
