#include "tram/work/units/unit_base.h"

#include "tram/work/scheduler/scheduler.h"
#include "tram/work/units/scope_core.h"

namespace tram::work {

bool UnitBase::add_waiter(Waiter& waiter) {
  uintptr_t first = waiters_.load(std::memory_order_acquire);
  do {
    if (first == done_mark) return false;
    waiter.next = reinterpret_cast<Waiter*>(first);
  } while (!waiters_.compare_exchange_weak(first, reinterpret_cast<uintptr_t>(&waiter),
                                           std::memory_order_acq_rel, std::memory_order_acquire));
  return true;
}

void UnitBase::one_ended(RunnableList& ready) {
  uint32_t before = waits_for_.fetch_sub(1, std::memory_order_acq_rel);
  if (before == (running_phase | 1)) {
    // Not ended here: units that returned units may be nested a million deep.
    if ((flags_.fetch_or(ending, std::memory_order_acq_rel) & in_queue) != 0) {
      end();
    } else {
      hold();
      ready.push_back(*this);
    }
  } else if (before == 1) {
    // Between zero and this nobody else changes it: see expect_late.
    waits_for_.store(running_phase | 1, std::memory_order_release);
    ready.push_back(*this);
  }
}

void UnitBase::one_ended_here() {
  if (waits_for_.fetch_sub(1, std::memory_order_acq_rel) == (running_phase | 1)) end();
}

void UnitBase::start() {
  RunnableList ready;
  one_ended(ready);
  if (!ready.empty()) scope_->scheduler().schedule(std::move(ready));
}

bool UnitBase::expect_late() {
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

void UnitBase::run(Runnable& task) {
  auto& unit = static_cast<UnitBase&>(task);
  if (unit.claim())
    unit.run_claimed();
  else if ((unit.flags_.load(std::memory_order_acquire) & (ending | in_queue)) == ending)
    unit.end_later();
  unit.release();
}

void UnitBase::run_claimed() {
  scope_->focus();
  if (!has_late_failure()) ops().invoke(*this);
  // What held up its end may be over already.
  if (waits_for_.fetch_sub(1, std::memory_order_acq_rel) == (running_phase | 1)) end();
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
  ScopeCore& scope = *scope_;
  if (const Error* error = this->error(); error != nullptr) scope.note_failure(*this, *error);
  uintptr_t last = waiters_.exchange(done_mark, std::memory_order_acq_rel);
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
  }
  schedule_ready(scope, std::move(ready));
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
