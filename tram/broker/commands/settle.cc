#include "tram/broker/commands/settle.h"

#include "tram/broker/transitions.h"

namespace tram::broker {
namespace {

// The message's present lease, if `token` is that one's; otherwise refuses the command, and
// returns nullptr.
Lease* present_lease(State& state, BytesView queue_name, MessageId id, LeaseToken token,
                     Context& context) {
  Queue* queue = state.queues.find(queue_name);
  Lease* lease = state.leases.find(id);
  if (lease && lease->queue == queue) {
    if (lease->token == token) return lease;
    context.refuse(base::Errc::lease_ended);
  } else if (queue && queue->ready.has_returned(id)) {
    context.refuse(base::Errc::lease_ended);
  } else {
    context.refuse(base::Errc::message_not_found);
  }
  return nullptr;
}

}  // namespace

void carry_out(State& state, Ack& ack, Context& context) {
  Lease* lease = present_lease(state, ack.queue, ack.id, ack.token, context);
  if (!lease) return;
  Queue& queue = *lease->queue;
  finish(state, *lease);
  ++queue.acks;
  ++state.totals.acks;
  state.queues.used(queue, context.now);
  context.reply(Done{1});
}

void carry_out(State& state, Release& release, Context& context) {
  Lease* lease = present_lease(state, release.queue, release.id, release.token, context);
  if (!lease) return;
  Queue& queue = *lease->queue;
  if (!release.attempted) --lease->message->attempts;
  give_back(state, *lease);
  ++state.totals.releases;
  context.reply(Done{1});
  serve(state, queue, context.now, context.effects);
}

void carry_out(State& state, Extend& extend, Context& context) {
  bool as_granted = extend.lease == base::Duration();
  if (!as_granted && (extend.lease < Limits::lease_min || extend.lease > Limits::lease_max))
    return context.refuse(base::Errc::invalid_argument,
                          "lease must be 1 ms to 24 h, or 0 for as long as it was granted for");
  Lease* lease = present_lease(state, extend.queue, extend.id, extend.token, context);
  if (!lease) return;
  state.leases.extend(*lease, context.now + (as_granted ? lease->length : extend.lease));
  context.reply(Done{1});
}

}  // namespace tram::broker
