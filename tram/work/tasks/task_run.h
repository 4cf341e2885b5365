// A coroutine that runs as the body of a unit: who resumes it, on which thread, and what it waits
// for. It knows no types: see task.h.
//
//            suspend()                        the units ended, or it is
//   ┌─────────┐  until units have ended  ┌─────────┐  told otherwise  ┌───────────┐
//   │ running ├─────────────────────────►│ waiting ├─────────────────►│ scheduled │
//   └──▲──────┘                          └─────────┘                  └─────┬─────┘
//      └─────────────────────────────── a worker resumes it ────────────────┘
//
// Exactly one brings it from waiting to scheduled: one word says how often it has waited and
// whether it does, and is exchanged. Whoever comes too late does nothing.
//
// Told otherwise: its unit is cancelled; its scope stops while it waits for what does not stop with
// that; or a circle is found.
//
// Threads: one at a time runs the coroutine, and only that one calls what is not said to be for
// all.
#pragma once

#include <coroutine>
#include <optional>

#include "tram/work/scheduler/unit_memory.h"
#include "tram/work/units/scope_core.h"

namespace tram::work {

class TaskRun;

// What one suspension waits for: the places in the lists of those units. It outlives the
// suspension, because lists cannot be left. But for make() and set_unit(), TaskRun's alone.
struct AwaitBlock {
  // `any`: until the first of them succeeds, or all have failed.
  static AwaitBlock& make(TaskRun& run, UnitBase& unit, uint32_t count, bool any);
  void set_unit(uint32_t lane, UnitBase& awaited) { lanes()[lane].unit = &awaited; }

  struct Lane : Waiter {
    explicit Lane(AwaitBlock& of) : Waiter(&ended), block(of) {}
    AwaitBlock& block;
    UnitBase* unit = nullptr;
  };
  AwaitBlock(TaskRun& of, UnitBase& in, uint32_t units, bool first_success)
      : run(of),
        unit(in),
        count(units),
        any(first_success),
        left(units),
        holders(units > 0 ? 3 : 2) {}

  static void ended(Waiter& waiter, UnitBase& done, RunnableList& ready);
  bool over() const {
    return left.load(std::memory_order_seq_cst) == 0 ||
           winner.load(std::memory_order_seq_cst) != nullptr;
  }
  Lane* lanes() { return reinterpret_cast<Lane*>(this + 1); }
  void let_go();

  TaskRun& run;
  UnitBase& unit;  // Whose body waits. Held.
  uint64_t turn = 0;
  const uint32_t count;
  const bool any;
  std::atomic<uint32_t> left;     // Units that have not ended.
  std::atomic<uint32_t> holders;  // The units together, the coroutine, and suspend().
  std::atomic<UnitBase*> winner = nullptr;
};

class TaskRun final : public Runnable {
 public:
  TaskRun() : Runnable(how_to_resume) {}
  TaskRun(const TaskRun&) = delete;
  TaskRun& operator=(const TaskRun&) = delete;

  // Runs the coroutine, in the body of `unit`, up to where it first waits; later, elsewhere, the
  // rest. If it waits at all, the end of `unit` is held up until it has come to its own.
  void begin(UnitBase& unit, std::coroutine_handle<> root);
  // Any thread: if it waits for units, that ends with Errc::cancelled.
  void interrupt();

  // While no worker runs: the units that it waits for.
  void visit_waits(Visitor& visitor);

  // -- For what is awaited.
  // Whether a coroutine may go on at once after what did not need to be waited for. Not for ever:
  // others are to have their turn.
  bool may_go_on() { return --budget_ > 0; }
  // Suspends `at` until the units of the block have ended. False if it goes on at once. Nothing of
  // the coroutine may be touched after true.
  bool suspend(std::coroutine_handle<> at, AwaitBlock& block);
  AwaitBlock& make_block(uint32_t units, bool any) {
    return AwaitBlock::make(*this, *unit_, units, any);
  }
  // Suspends `at` until others have had their turn. Likewise.
  void yield(std::coroutine_handle<> at);

  // After suspend(): why it goes on although not all has ended, or no value.
  std::optional<Error> told_otherwise();
  // The same, but that is thrown. The winner of an `any`.
  UnitBase* resumed();
  // Throws if its unit is cancelled or its scope stopped.
  void check() const;

  // Resumes another coroutine of the same task in place of the one that suspends: directly, or,
  // because that needs stack where calls are not optimised, from below after a while.
  std::coroutine_handle<> transfer(std::coroutine_handle<> to) {
    if (++drive_->depth < depth_max) [[likely]]
      return to;
    return begin_stack_anew(to);
  }
  // The root coroutine has come to its end. What to resume instead: nothing.
  std::coroutine_handle<> finished();

 private:
  friend struct AwaitBlock;
  // Transfers from coroutine to coroutine before the stack is left and begun anew: without
  // optimisation each takes some hundred bytes of it.
  static constexpr int depth_max = 64;
  // On the stack of the thread that runs it.
  struct Drive {
    std::coroutine_handle<> next;
    int depth = 0;
    bool finished = false;
  };
  static void resume(Runnable& self);
  // What its scope knows of a coroutine that has waited for units.
  struct Known final : Suspect, StopListener {
    explicit Known(TaskRun& of);
    static bool fail_wait(Suspect& suspect, const Error& error);
    static void scope_stopped(StopListener& listener);

    TaskRun& run;
    // The scope whose stopping ends all that it waits for: its own, or one that this is within;
    // nullptr if there is none. Written before it waits.
    std::atomic<ScopeCore*> ends_with = nullptr;
    uint64_t suspected_turn = 0;  // When it was last looked at.
    std::optional<Error> interrupted;
    bool listens = false;
  };
  void drive(std::coroutine_handle<> from);
  std::coroutine_handle<> begin_stack_anew(std::coroutine_handle<> to);
  void finish();
  // It gives up its thread for the first time: from now on its unit is kept, and does not end.
  void leave();
  void become_known(ScopeCore* ends_with);
  void interrupt(Error why);
  // True: it waits, and belongs to whoever ends that. False: it goes on.
  bool wait(AwaitBlock& block);
  // Of a scope that may have stopped: whether what it waits for does not end because of that.
  static bool left_behind(const ScopeCore& scope, const ScopeCore* ends_with);
  // True for the one who ends this wait.
  bool take(uint64_t turn);

  static constexpr uint64_t waits = 1;
  static const RunnableOps how_to_resume;

  UnitBase* unit_ = nullptr;
  std::coroutine_handle<> resume_at_;
  Drive* drive_ = nullptr;
  AwaitBlock* block_ = nullptr;
  std::atomic<uint64_t> word_ = 0;  // The turn, which grows with each wait; and `waits`.
  Known* known_ = nullptr;          // Made when it first waits for units.
  int budget_ = 0;
  bool left_ = false;
};

}  // namespace tram::work
