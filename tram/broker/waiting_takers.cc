#include "tram/broker/waiting_takers.h"

#include "tram/broker/queue.h"

namespace tram::broker {

WaitingTakers::~WaitingTakers() {
  while (!by_deadline_.empty()) remove(by_deadline_.top());
}

Taker& WaitingTakers::add(const TakeTerms& terms, Queue& queue, base::Time deadline) {
  auto* taker = new Taker;
  taker->terms = terms;
  taker->sequence = ++last_sequence_;
  taker->queue = &queue;
  taker->deadline = deadline;
  by_deadline_.push(*taker);
  by_caller_.add(terms.caller, *taker);
  queue.line.push_back(*taker);
  ++queue.waiting;
  return *taker;
}

void WaitingTakers::remove(Taker& taker) {
  by_deadline_.erase(taker);
  by_caller_.remove(taker.terms.caller, taker);
  taker.queue->line.erase(taker);
  --taker.queue->waiting;
  delete &taker;
}

void WaitingTakers::change_deadline(Taker& taker, base::Time deadline) {
  taker.deadline = deadline;
  by_deadline_.moved(taker);
}

void WaitingTakers::check(const Taker& taker) const {
  TRAM_ASSERT(taker.in_heap() && !EndsFirst()(taker, next()), taker.sequence);
  TRAM_ASSERT(taker.terms.missing > 0, taker.sequence);
  TRAM_ASSERT(static_cast<const base::Link<struct CallerTakers>&>(taker).linked());
}

Taker* WaitingTakers::find(CallerId caller, Ticket ticket) const {
  for (Taker* taker = by_caller_.first(caller); taker; taker = by_caller_.next(caller, *taker))
    if (taker->terms.ticket == ticket) return taker;
  return nullptr;
}

}  // namespace tram::broker
