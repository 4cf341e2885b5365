#include "tram/broker/commands/depart.h"

#include <vector>

#include "tram/broker/transitions.h"

namespace tram::broker {

void carry_out(State& state, Depart&, Context& context) {
  while (Taker* taker = state.takers.first_of(context.caller)) {
    Queue& queue = *taker->queue;
    state.takers.remove(*taker);
    --state.totals.waiting_takers;
    state.queues.used(queue, context.now);
  }
  // First everything comes back, then whoever waits is served: so that the oldest of what was
  // held goes out first. Queues in the order in which their first message comes back.
  std::vector<Queue*> touched;
  while (Lease* lease = state.leases.first_of(context.caller)) {
    Queue& queue = *lease->queue;
    give_back(state, *lease);
    if (!std::exchange(queue.to_serve, true)) touched.push_back(&queue);
  }
  for (Queue* queue : touched) {
    queue->to_serve = false;
    serve(state, *queue, context.now, context.effects);
  }
}

}  // namespace tram::broker
