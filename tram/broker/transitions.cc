#include "tram/broker/transitions.h"

namespace tram::broker {

MessageId store(State& state, Queue& queue, Content content, base::Time now) {
  auto* message = new StoredMessage;
  message->id = {(++state.last_message << shard_bits) | state.shard};
  message->content = std::move(content);
  message->put_at = now;
  uint64_t size = message->content.size();
  queue.ready.push_new(*message);
  queue.bytes += size;
  ++queue.puts;
  state.totals.stored_bytes += size;
  ++state.totals.ready;
  ++state.totals.puts;
  return message->id;
}

void lease_next(State& state, Queue& queue, TakeTerms& terms, base::Time now, Effects& effects) {
  StoredMessage& message = queue.ready.pop();
  if (message.leased_before) {
    ++queue.redeliveries;
    ++state.totals.redeliveries;
  }
  message.leased_before = true;
  ++message.attempts;
  CallerId bound_to = terms.bound_to_caller ? terms.caller : CallerId();
  Lease& lease = state.leases.grant(message, queue, terms.lease, bound_to, now);
  ++queue.leased;
  ++queue.deliveries;
  --state.totals.ready;
  ++state.totals.leased;
  ++state.totals.deliveries;
  --terms.missing;
  effects.replies.push_back({terms.caller, terms.ticket,
                             Delivery{.id = message.id,
                                      .token = lease.token,
                                      .attempt = message.attempts,
                                      .remaining = terms.missing,
                                      .age = now - message.put_at,
                                      .queue = queue.name,
                                      .content = message.content}});
}

void finish(State& state, Lease& lease) {
  Queue& queue = *lease.queue;
  StoredMessage& message = state.leases.end(lease);
  uint64_t size = message.content.size();
  delete &message;
  --queue.leased;
  queue.bytes -= size;
  --state.totals.leased;
  state.totals.stored_bytes -= size;
}

void give_back(State& state, Lease& lease) {
  Queue& queue = *lease.queue;
  queue.ready.push_returned(state.leases.end(lease));
  --queue.leased;
  --state.totals.leased;
  ++state.totals.ready;
}

void serve(State& state, Queue& queue, base::Time now, Effects& effects) {
  while (!queue.ready.empty() && !queue.line.empty()) {
    Taker& taker = queue.line.front();
    lease_next(state, queue, taker.terms, now, effects);
    if (taker.terms.missing > 0 && !taker.lingers && taker.terms.linger > base::Duration()) {
      taker.lingers = true;
      state.takers.change_deadline(taker, now + taker.terms.linger);
    } else if (taker.terms.missing == 0 || !taker.lingers) {
      end_wait(state, taker, false, effects);
    }
  }
}

void end_wait(State& state, Taker& taker, bool waited, Effects& effects) {
  const TakeTerms& terms = taker.terms;
  if (terms.missing > 0)
    effects.replies.push_back({terms.caller, terms.ticket, TakeEnded{waited, terms.missing}});
  state.takers.remove(taker);
  --state.totals.waiting_takers;
}

uint64_t clear_ready(State& state, Queue& queue) {
  uint64_t count = queue.ready.size();
  uint64_t bytes = queue.ready.clear();
  queue.bytes -= bytes;
  state.totals.ready -= count;
  state.totals.stored_bytes -= bytes;
  return count;
}

Queue* find_or_make_queue(State& state, BytesView name) {
  if (Queue* queue = state.queues.find(name)) return queue;
  if (state.queues.size() >= state.limits.queues_max) return nullptr;
  ++state.totals.queues;
  return &state.queues.make(name);
}

}  // namespace tram::broker
