#include "tram/work/pools/crew.h"

#include <new>

#include "tram/work/scheduler/unit_memory.h"

namespace tram::work {

Crew::Ticket::Ticket(Crew& crew) : Runnable(operations), of(crew) {}

Crew::~Crew() {
  TRAM_ASSERT(waiting_.empty());
  while (!taken_.empty()) {
    Ticket& ticket = taken_.pop_front();
    if (ticket.state.exchange(abandoned, std::memory_order_acq_rel) == gone) free(ticket);
  }
}

void Crew::call(RunnableList& to_schedule) {
  while (!taken_.empty()) {
    Ticket& ticket = taken_.pop_front();
    uint8_t was = taken;
    // Before the state: as soon as that says so, its turn may come.
    waiting_.push_back(ticket);
    if (ticket.state.compare_exchange_strong(was, waiting, std::memory_order_acq_rel)) return;
    waiting_.erase(ticket);
    free(ticket);
  }
  auto& ticket = *new (UnitMemory::take(sizeof(Ticket))) Ticket(*this);
  waiting_.push_back(ticket);
  to_schedule.push_back(ticket);
}

void Crew::arrived(Ticket& ticket) {
  waiting_.erase(ticket);
  free(ticket);
}

bool Crew::take_over() {
  for (Ticket* ticket = waiting_.first(); ticket != nullptr; ticket = waiting_.next(*ticket)) {
    uint8_t was = waiting;
    // Otherwise its turn has just come, and it waits for the lock.
    if (!ticket->state.compare_exchange_strong(was, taken, std::memory_order_acq_rel)) continue;
    waiting_.erase(*ticket);
    taken_.push_back(*ticket);
    return true;
  }
  return false;
}

void Crew::run(Runnable& task) {
  auto& ticket = static_cast<Ticket&>(task);
  switch (ticket.state.exchange(gone, std::memory_order_acq_rel)) {
    case waiting:
      return ticket.of.work_(ticket, ticket.of.of_);
    case abandoned:
      return free(ticket);
    default:
      return;  // Taken: the crew frees it when it looks.
  }
}

void Crew::free(Ticket& ticket) {
  ticket.~Ticket();
  UnitMemory::give_back(&ticket, sizeof(Ticket));
}

}  // namespace tram::work
