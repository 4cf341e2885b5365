#include "tram/broker/commands/inspect.h"

#include <algorithm>

#include "tram/broker/transitions.h"

namespace tram::broker {

void carry_out(State& state, ListQueues&, Context& context) {
  QueueList list;
  list.queues.reserve(state.queues.size());
  auto& all = state.queues.all();
  for (Queue* queue = all.first(); queue; queue = all.next(*queue))
    list.queues.push_back(queue->info(context.now));
  std::sort(list.queues.begin(), list.queues.end(),
            [](const QueueInfo& a, const QueueInfo& b) { return a.name < b.name; });
  context.reply(std::move(list));
}

void carry_out(State& state, ShowQueue& command, Context& context) {
  Queue* queue = state.queues.find(command.queue);
  if (!queue) return context.refuse(base::Errc::queue_not_found);
  QueueList list;
  list.queues.push_back(queue->info(context.now));
  context.reply(std::move(list));
}

void carry_out(State& state, PurgeQueue& command, Context& context) {
  Queue* queue = state.queues.find(command.queue);
  if (!queue) return context.refuse(base::Errc::queue_not_found);
  uint64_t count = clear_ready(state, *queue);
  state.queues.used(*queue, context.now);
  context.reply(Done{count});
}

void carry_out(State& state, DeleteQueue& command, Context& context) {
  Queue* queue = state.queues.find(command.queue);
  if (!queue) return context.refuse(base::Errc::queue_not_found);
  uint64_t count = clear_ready(state, *queue) + queue->leased;
  while (!queue->leases.empty()) finish(state, queue->leases.front());
  if (queue->waiting > 0) {
    // Whoever waits keeps the place in line; everything else is as in a new queue.
    queue->puts = queue->deliveries = queue->redeliveries = queue->acks = 0;
  } else {
    state.queues.remove(*queue);
    --state.totals.queues;
  }
  context.reply(Done{count});
}

}  // namespace tram::broker
