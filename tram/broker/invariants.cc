#include "tram/broker/invariants.h"

namespace tram::broker {
namespace {

// Adds what is in the queue to `sums`.
void check_queue(State& state, Queue& queue, Totals& sums) {
  TRAM_ASSERT(state.queues.find(queue.name) == &queue, queue.name);
  uint64_t bytes = queue.ready.check();
  uint64_t leased = 0, waiting = 0, last_sequence = 0;
  for (auto* lease = queue.leases.first(); lease; lease = queue.leases.next(*lease)) {
    TRAM_ASSERT(lease->queue == &queue, queue.name);
    TRAM_ASSERT(!queue.ready.has_returned(lease->message->id), queue.name);
    state.leases.check(*lease);
    bytes += lease->message->content.size();
    ++leased;
  }
  for (auto* taker = queue.line.first(); taker; taker = queue.line.next(*taker)) {
    TRAM_ASSERT(taker->queue == &queue && taker->sequence > last_sequence, queue.name);
    last_sequence = taker->sequence;
    state.takers.check(*taker);
    ++waiting;
  }
  TRAM_ASSERT(leased == queue.leased, queue.name, leased, queue.leased);
  TRAM_ASSERT(waiting == queue.waiting, queue.name, waiting, queue.waiting);
  TRAM_ASSERT(bytes == queue.bytes, queue.name, bytes, queue.bytes);
  TRAM_ASSERT(waiting == 0 || queue.ready.empty(), queue.name);
  TRAM_ASSERT(waiting <= state.limits.waiting_takers_max, queue.name, waiting);
  TRAM_ASSERT(!queue.to_serve, queue.name);
  TRAM_ASSERT(static_cast<base::Link<struct IdleQueues>&>(queue).linked() == queue.idle(),
              queue.name);
  ++sums.queues;
  sums.ready += queue.ready.size();
  sums.leased += leased;
  sums.waiting_takers += waiting;
  sums.stored_bytes += bytes;
}

}  // namespace

void check_invariants(State& state) {
  Totals sums;
  auto& all = state.queues.all();
  for (auto* queue = all.first(); queue; queue = all.next(*queue)) check_queue(state, *queue, sums);
  state.queues.check_idle_order();

  const Totals& totals = state.totals;
  TRAM_ASSERT(sums.queues == totals.queues && sums.queues == state.queues.size(), sums.queues);
  TRAM_ASSERT(sums.ready == totals.ready, sums.ready, totals.ready);
  TRAM_ASSERT(sums.leased == totals.leased && sums.leased == state.leases.size(), sums.leased);
  TRAM_ASSERT(sums.waiting_takers == totals.waiting_takers, totals.waiting_takers);
  TRAM_ASSERT(sums.waiting_takers == state.takers.size(), state.takers.size());
  TRAM_ASSERT(sums.stored_bytes == totals.stored_bytes, sums.stored_bytes, totals.stored_bytes);

  const Limits& limits = state.limits;
  TRAM_ASSERT(sums.queues <= limits.queues_max, sums.queues);
  TRAM_ASSERT(sums.stored_bytes + (sums.ready + sums.leased) * Limits::message_overhead <=
                  limits.stored_bytes_max,
              sums.stored_bytes);
  TRAM_ASSERT(state.mailboxes.size() <= limits.mailboxes_max, state.mailboxes.size());
  state.mailboxes.check();
}

}  // namespace tram::broker
