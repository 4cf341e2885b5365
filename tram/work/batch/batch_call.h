// One call of the batch function: first a place where its items gather, then a task that runs it,
// and once more when what it returned has ended.
#pragma once

#include <atomic>
#include <optional>

#include "tram/work/batch/batch_item.h"
#include "tram/work/batch/flush_rule.h"
#include "tram/work/units/typed_unit.h"

namespace tram::work {

class BatchCore;

// What a batch function runs as: what a Context stands on, and what waits when it waits. It never
// ends, and nobody waits for it.
class StandingUnit final : public TypedUnit<void> {
 public:
  explicit StandingUnit(ScopeCore& scope)
      : TypedUnit<void>(operations, scope, "batch function", std::source_location()) {}

 private:
  static const UnitOps operations;
};

// The scope that a batch function sees in its Context: stopped when the last caller has left, with
// the latest of the callers' deadlines.
class CallScope {
 public:
  CallScope(ScopeCore& home, std::string_view name, base::Time deadline)
      : core(home.scheduler(), &home,
             {.name = name,
              .keep_going = false,
              .keep_failures = false,
              .deadline = deadline,
              .stop = {}}),
        unit(core) {}
  // Waits for what is left in it.
  void end();

  ScopeCore core;
  StandingUnit unit;
};

struct Gathering;

struct BatchCall : Runnable, base::Link<BatchCall> {
  BatchCall(BatchCore& of, const RunnableOps& how) : Runnable(how), core(of) {}
  virtual ~BatchCall() = default;
  void let_go() {
    if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  BatchCore& core;
  std::atomic<int> holders = 1;
  // Guarded by the lock of the batcher until it begins; then the items are the call's.
  Gathering* gathering = nullptr;                   // That it is part of, until it is taken.
  base::IntrusiveList<BatchItem, BatchItem> items;  // Without sharers; the longest waiting first.
  uint64_t count = 0;                               // Of `items`.
  uint64_t weight = 0;
  // The latest of its callers'; of too many, if some are gone that it has counted.
  base::Time deadline = base::Time::from_nanoseconds(0);
  bool deadline_doubtful = false;
  FlushReason reason = FlushReason::idle;
  base::Time first = base::Time::never();
  bool thin = false;    // See InFlight.
  uint64_t tokens = 0;  // Taken for it from the rate limit.
  // Guarded by the lock of the batcher.
  uint64_t callers = 0;
  uint64_t left = 0;
  bool stop_wanted = false;
  bool answered = false;
  bool has_scope = false;  // `scope` may be stopped.
  // The call's own.
  bool needs_deadline = false;
  base::Time began;
  uint32_t in_flight = 0;
  std::optional<CallScope> scope;
};

}  // namespace tram::work
