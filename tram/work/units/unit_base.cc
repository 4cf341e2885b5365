#include "tram/work/units/unit_base.h"

#include <utility>

#include "tram/work/scheduler/scheduler.h"
#include "tram/work/units/scope_core.h"

namespace tram::work {
namespace {

// More than a worker keeps to itself, so that all of them find these.
constexpr size_t told_at_once_max = 65;

}  // namespace

bool UnitBase::add_waiter(Waiter& waiter) {
  uintptr_t first = waiters_.load(std::memory_order_acquire);
  do {
    if (first == done_mark) return false;
    waiter.next = reinterpret_cast<Waiter*>(first & ~may_be_held_up);
  } while (!waiters_.compare_exchange_weak(
      first, reinterpret_cast<uintptr_t>(&waiter) | (first & may_be_held_up),
      std::memory_order_acq_rel, std::memory_order_acquire));
  return true;
}

void UnitBase::ended(uint32_t count, RunnableList& ready) {
  uint32_t before = waits_for_.fetch_sub(count, std::memory_order_acq_rel);
  if (before == (running_phase | count)) {
    // Not ended here: units that returned units may be nested a million deep.
    if ((flags_.fetch_or(ending, std::memory_order_acq_rel) & in_queue) != 0) {
      end();
    } else {
      hold();
      ready.push_back(*this);
    }
  } else if (before == count) {
    // Between zero and this nobody else changes it: see expect_late.
    waits_for_.store(running_phase | 1, std::memory_order_release);
    ready.push_back(*this);
  }
}

void UnitBase::one_ended_here() {
  if (waits_for_.fetch_sub(1, std::memory_order_acq_rel) == (running_phase | 1)) end();
}

void UnitBase::start(uint32_t ended_already) {
  RunnableList ready;
  ended(1 + ended_already, ready);
  if (!ready.empty()) scope_->scheduler().schedule(ready.pop_front());
}

void UnitBase::start() {
  // Nobody else knows of it yet.
  waits_for_.store(running_phase | 1, std::memory_order_relaxed);
  scope_->scheduler().schedule(*this);
}

bool UnitBase::expect_late() {
  uintptr_t waiters = waiters_.load(std::memory_order_acquire);
  do {
    if (waiters == done_mark) return false;
  } while (!waiters_.compare_exchange_weak(waiters, waiters | may_be_held_up,
                                           std::memory_order_acq_rel, std::memory_order_acquire));
  uint32_t count = waits_for_.load(std::memory_order_acquire);
  for (;;) {
    if ((count & ~running_phase) == 0) {
      // Zero while running: it is ending. Zero before: it becomes ready within a few instructions.
      if ((count & running_phase) != 0 || done()) return false;
      count = waits_for_.load(std::memory_order_acquire);
      continue;
    }
    if (waits_for_.compare_exchange_weak(count, count + 1, std::memory_order_acq_rel,
                                         std::memory_order_acquire))
      return true;
  }
}

bool UnitBase::claim_as_scheduler() {
  if (!held_once()) return claim();
  // Looked at after the count, so that nothing of what others did is missed.
  uint8_t flags = flags_.load(std::memory_order_relaxed);
  flags_.store(flags | claimed, std::memory_order_relaxed);
  return (flags & claimed) == 0;
}

void UnitBase::run(Runnable& task) {
  auto& unit = static_cast<UnitBase&>(task);
  if (unit.claim_as_scheduler())
    unit.run_claimed();
  else if ((unit.flags_.load(std::memory_order_acquire) & (ending | in_queue)) == ending)
    unit.end_later();
  unit.release();
}

void UnitBase::run_claimed() {
  scope_->focus();
  if (!has_late_failure()) ops().invoke(*this);
  if (ops().conclude == nullptr && error() == nullptr && end_unless_held_up()) return;
  // What held up its end may be over already.
  if (waits_for_.fetch_sub(1, std::memory_order_acq_rel) == (running_phase | 1)) end();
}

bool UnitBase::end_unless_held_up() {
  const bool seen_by_others = !held_once();
  uintptr_t waiters = waiters_.load(std::memory_order_acquire);
  // Whoever makes it wait for more says so here first.
  do {
    if ((waiters & may_be_held_up) != 0) return false;
    if (!seen_by_others) {
      waiters_.store(done_mark, std::memory_order_release);
      break;
    }
  } while (!waiters_.compare_exchange_weak(waiters, done_mark, std::memory_order_acq_rel,
                                           std::memory_order_acquire));
  tell(waiters);
  return true;
}

void UnitBase::end_later() {
  scope_->focus();
  end();
}

void UnitBase::end() {
  if (ops().conclude != nullptr) ops().conclude(*this);
  if (has_late_failure()) {
    Error late = scope_->late_failure_of(*this);
    if (error() == nullptr) ops().fail(*this, std::move(late));
  }
  finish();
}

void UnitBase::finish() {
  if (const Error* error = this->error(); error != nullptr) scope_->note_failure(*this, *error);
  tell(waiters_.exchange(done_mark, std::memory_order_acq_rel) & ~may_be_held_up);
}

void UnitBase::tell(uintptr_t last) {
  ScopeCore& scope = *scope_;
  if (last != 0) {
    // In the order in which they came.
    Waiter* first = nullptr;
    for (auto* waiter = reinterpret_cast<Waiter*>(last); waiter != nullptr;) {
      Waiter* before = waiter->next;
      waiter->next = first;
      first = waiter;
      waiter = before;
    }
    RunnableList ready;
    while (first != nullptr) {
      Waiter& waiter = *first;
      first = waiter.next;
      waiter.wake(waiter, *this, ready);
      // Others may begin while this goes on.
      if (ready.size() == told_at_once_max && first != nullptr)
        scope.scheduler().schedule(std::exchange(ready, {}));
    }
    schedule_ready(scope, std::move(ready));
  }
  scope.ended();
}

void UnitBase::cancel(Error error) {
  uint8_t before = flags_.fetch_or(cancel_wanted | claimed, std::memory_order_seq_cst);
  if ((before & claimed) != 0) {
    if (ops().interrupt != nullptr) ops().interrupt(*this);
    return;
  }
  ops().fail(*this, std::move(error));
  finish();
}

void schedule_ready(ScopeCore& scope, RunnableList&& ready) {
  if (ready.empty()) return;
  Runnable& first = ready.pop_front();
  scope.scheduler().schedule(std::move(ready));
  scope.scheduler().schedule_next(first);
}

}  // namespace tram::work
