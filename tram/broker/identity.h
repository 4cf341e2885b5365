// The kinds of number by which the broker knows things.
#pragma once

#include "tram/base/id.h"

namespace tram::broker {

// A stored message: unique in the broker, growing within a shard; the low eight bits are the shard.
using MessageId = base::Id<struct MessageTag>;
// One grant of a lease. A message taken again gets another token, so a late answer is recognised.
using LeaseToken = base::Id<struct LeaseTag>;
// Somebody who submits commands: one connection, or one part of the program.
using CallerId = base::Id<struct CallerTag>;
// One live subscription.
using SubscriptionId = base::Id<struct SubscriptionTag>;
// What a caller gave a command to recognise the replies to it. Its meaning is the caller's.
using Ticket = base::Id<struct TicketTag>;

constexpr unsigned shard_bits = 8;
constexpr uint32_t shards_max = 1u << shard_bits;
inline uint32_t shard_of(MessageId id) {
  return static_cast<uint32_t>(id.value & (shards_max - 1));
}

}  // namespace tram::broker
