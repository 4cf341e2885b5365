// Dispatch only: each command's rule is in commands/, what time does is `advance`.
#include "tram/broker/broker.h"

#include <algorithm>

#include "tram/broker/invariants.h"
#include "tram/broker/transitions.h"

namespace tram::broker {
namespace {

void expire_lease(State& state, base::Time now, Effects& effects) {
  Lease& lease = state.leases.next();
  Queue& queue = *lease.queue;
  give_back(state, lease);
  ++state.totals.leases_expired;
  serve(state, queue, now, effects);
}

void expire_taker(State& state, base::Time now, Effects& effects) {
  Taker& taker = state.takers.next();
  Queue& queue = *taker.queue;
  end_wait(state, taker, true, effects);
  state.queues.used(queue, now);
}

void expire_queue(State& state) {
  state.queues.remove(state.queues.next_idle());
  --state.totals.queues;
}

}  // namespace

Broker::Broker(uint32_t shard, const Limits& limits)
    : state_(std::make_unique<State>(shard, limits)) {
  TRAM_ASSERT(shard < shards_max, shard);
}
Broker::~Broker() = default;

void Broker::apply(Command& command, CallerId caller, Ticket ticket, base::Time now,
                   Effects& effects) {
  advance(now, effects);
  Context context{caller, ticket, now, effects};
  std::visit([&](auto& one) { carry_out(*state_, one, context); }, command);
}

base::Time Broker::next_deadline() const {
  return std::min({state_->leases.next_deadline(), state_->takers.next_deadline(),
                   state_->queues.next_deadline(), state_->mailboxes.next_deadline()});
}

void Broker::advance(base::Time now, Effects& effects) {
  // In the order of the deadlines. Of what is due at the same moment leases are first, so that
  // a message that comes back at that moment still finds those who wait for it.
  for (;;) {
    base::Time due = next_deadline();
    if (due > now || due == base::Time::never()) return;
    if (due == state_->leases.next_deadline()) {
      expire_lease(*state_, now, effects);
    } else if (due == state_->takers.next_deadline()) {
      expire_taker(*state_, now, effects);
    } else if (due == state_->queues.next_deadline()) {
      expire_queue(*state_);
    } else {
      effects.mailboxes_expired.push_back(state_->mailboxes.expire_next());
    }
  }
}

const Totals& Broker::totals() const { return state_->totals; }

void Broker::check_invariants() const { broker::check_invariants(*state_); }

}  // namespace tram::broker
