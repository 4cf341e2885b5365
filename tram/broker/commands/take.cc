#include "tram/broker/commands/take.h"

#include <fmt/core.h>

#include "tram/broker/subject.h"
#include "tram/broker/transitions.h"

namespace tram::broker {
namespace {

// What is wrong with the take's numbers; empty if nothing is.
std::string complaint(const Take& take) {
  auto beyond = [](base::Duration wait) {
    return wait < base::Duration() || wait > Limits::take_wait_max;
  };
  if (take.count < 1 || take.count > Limits::take_count_max)
    return fmt::format("count must be 1 to {}", Limits::take_count_max);
  if (beyond(take.wait)) return "wait must be 0 to 1 h";
  if (beyond(take.linger)) return "linger must be 0 to 1 h";
  if (take.lease < Limits::lease_min || take.lease > Limits::lease_max)
    return "lease must be 1 ms to 24 h";
  return {};
}

}  // namespace

void carry_out(State& state, Take& take, Context& context) {
  if (!valid_queue_name(take.queue)) return context.refuse(base::Errc::invalid_queue_name);
  if (std::string wrong = complaint(take); !wrong.empty())
    return context.refuse(base::Errc::invalid_argument, std::move(wrong));

  TakeTerms terms{.caller = context.caller,
                  .ticket = context.ticket,
                  .missing = take.count,
                  .linger = take.linger,
                  .lease = take.lease,
                  .bound_to_caller = take.bound_to_caller};
  Queue* queue = state.queues.find(take.queue);
  // While somebody waits there is nothing ready: nobody is overtaken here.
  while (queue && terms.missing > 0 && !queue->ready.empty())
    lease_next(state, *queue, terms, context.now, context.effects);
  if (queue) state.queues.used(*queue, context.now);
  if (terms.missing == 0) return;

  bool some_came = terms.missing < take.count;
  base::Duration patience = some_came ? take.linger : take.wait;
  bool line_full = (queue ? queue->waiting : 0) >= state.limits.waiting_takers_max;
  if (patience == base::Duration() || (some_came && line_full))
    return context.reply(TakeEnded{.waited = false, .missing = terms.missing});
  if (line_full)
    return context.refuse(base::Errc::limit_reached, fmt::format("{} takers wait there already",
                                                                 state.limits.waiting_takers_max));
  if (!queue) queue = find_or_make_queue(state, take.queue);
  if (!queue)
    return context.refuse(base::Errc::limit_reached,
                          fmt::format("there are {} queues already", state.limits.queues_max));
  state.takers.add(terms, *queue, context.now + patience).lingers = some_came;
  ++state.totals.waiting_takers;
  state.queues.used(*queue, context.now);
}

void carry_out(State& state, StopTaking& stop, Context& context) {
  Taker* taker = state.takers.find(context.caller, stop.of_take);
  if (!taker) return;
  Queue& queue = *taker->queue;
  context.effects.replies.push_back({taker->terms.caller, taker->terms.ticket,
                                     TakeEnded{.waited = false, .missing = taker->terms.missing}});
  state.takers.remove(*taker);
  --state.totals.waiting_takers;
  state.queues.used(queue, context.now);
}

}  // namespace tram::broker
