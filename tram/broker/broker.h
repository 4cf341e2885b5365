// The broker's state machine: every rule about stored messages, and nothing about the machine.
//
// Time:         every call is told what time it is, and time never goes back.
// Threads:      none of its own; one caller at a time.
// Determinism:  the same calls in the same order give the same effects, byte for byte.
#pragma once

#include <cstdint>
#include <memory>

#include "tram/broker/command.h"
#include "tram/broker/effect.h"
#include "tram/broker/limits.h"

namespace tram::broker {

// Sums over one shard, for metrics: kept up to date, so reading costs nothing.
struct Totals {
  uint64_t queues = 0;
  uint64_t ready = 0;
  uint64_t leased = 0;
  uint64_t stored_bytes = 0;
  uint64_t waiting_takers = 0;
  uint64_t puts = 0;
  uint64_t deliveries = 0;
  uint64_t redeliveries = 0;
  uint64_t acks = 0;
  uint64_t releases = 0;
  uint64_t leases_expired = 0;
  uint64_t mailboxes = 0;
  uint64_t mailbox_messages = 0;
  uint64_t mailbox_drops = 0;
};

class Broker {
 public:
  // `shard` goes into every message id made here.
  Broker(uint32_t shard, const Limits& limits);
  ~Broker();

  // Does first whatever is due by `now` (see `advance`), so that no outcome depends on how
  // often that is called. Then carries out `command`, or refuses it with a reply that says why.
  // Appends to `effects` what must now happen. May move the command's contents away.
  void apply(Command& command, CallerId caller, Ticket ticket, base::Time now, Effects& effects);

  // When time alone will next change something; Time::never() if it will not.
  base::Time next_deadline() const;

  // Does everything due at or before `now`: leases that ended, waits that are over, queues and
  // mailboxes that nobody uses. In the order in which they were due; what follows from them
  // (a message that came back is leased to somebody else) happens at `now`.
  void advance(base::Time now, Effects& effects);

  const Totals& totals() const;

  // Walks everything and asserts that it is in order (invariants.h): for tests, after each step.
  void check_invariants() const;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tram::broker
