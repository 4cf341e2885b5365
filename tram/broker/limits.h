// Every limit of the state machine: its default, and what happens when it is reached.
#pragma once

#include <cstdint>

#include "tram/base/time.h"

namespace tram::broker {

struct Limits {
  // Queues in one shard. At the limit a put or take that would make another is refused with
  // limit_reached.
  uint32_t queues_max = 100'000;
  // Takers waiting on one queue. At the limit a take that would wait is refused with limit_reached.
  uint32_t waiting_takers_max = 100'000;
  // A queue that has been empty, unleased and unused for this long is gone.
  base::Duration queue_idle_expiry = std::chrono::minutes(5);
  // Bytes of content stored in one shard. At the limit a put is refused with limit_reached.
  uint64_t stored_bytes_max = uint64_t{4} << 30;

  // Messages waiting on one subject, over all mailboxes. At the limit a checked publish is refused
  // with overflow, and any other message for the mailboxes is dropped and counted.
  uint64_t mailbox_pending_max = 10'000;
  // Mailboxes in all. At the limit opening one is refused with limit_reached.
  uint32_t mailboxes_max = 100'000;
  // A mailbox that nobody fetched for this long is removed.
  base::Duration mailbox_idle_expiry = std::chrono::minutes(5);
};

}  // namespace tram::broker
