#include "tram/broker/queue.h"

namespace tram::broker {

QueueInfo Queue::info(base::Time now) {
  return {.name = name,
          .ready = ready.size(),
          .leased = leased,
          .bytes = bytes,
          .waiting_takers = waiting,
          .puts = puts,
          .deliveries = deliveries,
          .redeliveries = redeliveries,
          .acks = acks,
          .oldest_ready_age = ready.empty() ? base::Duration() : now - ready.front().put_at};
}

}  // namespace tram::broker
