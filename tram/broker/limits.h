// Every limit of the state machine: its default, and what happens when it is reached.
#pragma once

#include <cstdint>

#include "tram/base/time.h"

namespace tram::broker {

struct Limits {
  // --- What a take may ask for. Anything else is refused with invalid_argument.
  static constexpr uint32_t take_count_max = 10'000;
  static constexpr base::Duration take_wait_max = std::chrono::hours(1);  // And for `linger`.
  static constexpr base::Duration lease_min = std::chrono::milliseconds(1);
  static constexpr base::Duration lease_max = std::chrono::hours(24);  // For an extension too.

  // --- What keeping a message costs beside its content: counted towards the limits in bytes,
  // so that many empty messages are not free.
  static constexpr uint64_t message_overhead = 96;
  static constexpr uint64_t mailbox_message_overhead = 64;

  // Queues in one shard. At the limit a put, or a take that would wait, is refused with
  // limit_reached if it would make another.
  uint32_t queues_max = 100'000;
  // Takers waiting on one queue. At the limit a take that would wait for its first message is
  // refused with limit_reached; one that would linger ends with what it has.
  uint32_t waiting_takers_max = 100'000;
  // A queue that has been empty, unleased and unused for this long is gone. Listing and showing
  // are not uses.
  base::Duration queue_idle_expiry = std::chrono::minutes(5);
  // Bytes stored in one shard's queues: content, and message_overhead for each message. At the
  // limit a put is refused with limit_reached.
  uint64_t stored_bytes_max = uint64_t{4} << 30;

  // Messages waiting on one subject, over all mailboxes. While more than this wait, a checked
  // publish is refused with overflow: so with one mailbox this many and one more can wait, as
  // in GopherMQ. A checked publish that passes goes to all its mailboxes, so a subject can go
  // beyond the limit by as many as it has mailboxes; there any message is dropped and counted.
  uint64_t mailbox_pending_max = 10'000;
  // Bytes waiting in all mailboxes: content, and mailbox_message_overhead for each message. At
  // the limit messages are dropped and counted, and a checked publish is refused with overflow.
  uint64_t mailbox_bytes_max = uint64_t{1} << 30;
  // Mailboxes in all. At the limit opening one is refused with limit_reached.
  uint32_t mailboxes_max = 100'000;
  // A mailbox that nobody fetched for this long is removed.
  base::Duration mailbox_idle_expiry = std::chrono::minutes(5);
};

}  // namespace tram::broker
