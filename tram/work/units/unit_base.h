// A unit as the scheduler and other units see it: what is the same whatever its type.
//
//   ┌─────────┐ the last dependency ┌───────┐ a worker  ┌─────────┐ nothing left ┌──────┐
//   │ waiting ├────────ends────────►│ ready ├─claims it►│ running ├─to wait for─►│ done │
//   └────┬────┘                     └───┬───┘           └─────────┘              └──▲───┘
//        └──────────────────────────────┴── cancelled: claimed by whoever cancels ──┘
//
// One word counts what it waits for: before the body, dependencies; from then on, the body itself
// and what holds up its end (a unit that the body returned, dependencies added late). Whoever
// brings the count to zero moves the unit on.
//
// Memory: a unit belongs to its handles and, until a worker has dealt with it, to the scheduler.
//
// An atomic exchange costs as much as twenty plain instructions, and most units are seen by few: so
// whoever holds the only reference writes plainly (nobody can come by another, since only who has
// one can pass it on), and the count of what it waits for is left alone by units that wait for
// nothing.
// Threads: everything here may be called by any thread, except where it says otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <source_location>

#include "tram/work/error.h"
#include "tram/work/scheduler/runnable.h"

namespace tram::work {

class ScopeCore;
class UnitBase;

// Told when a unit is done. In the list of that unit until then; owned by whoever waits.
struct Waiter {
  explicit Waiter(void (*how)(Waiter&, UnitBase&, RunnableList&)) : wake(how) {}
  // `ready`: tasks that can run now. Must be short and run nobody's code.
  void (*wake)(Waiter&, UnitBase& done, RunnableList& ready);
  Waiter* next = nullptr;
};

struct Visitor {
  virtual void visit(UnitBase& unit) = 0;
  // It waits for any of several units: for which of them is yet to be seen.
  virtual void undecided() {}

 protected:
  ~Visitor() = default;
};

// What is different from type to type.
struct UnitOps : RunnableOps {
  // Runs the body, or stores why not: a dependency failed, or it was stopped before. Stores a
  // result, unless the body returned something that has yet to end, for which it called hold_up().
  // Does not throw.
  void (*invoke)(UnitBase&);
  // It ends. If that was held up by what the body returned: stores the result now, if it can; not
  // if that has not ended, because a circle was broken. nullptr for bodies that return values.
  void (*conclude)(UnitBase&);
  // Also in place of a value.
  void (*fail)(UnitBase&, Error);
  // nullptr if it has a value, or nothing yet.
  const Error* (*error)(const UnitBase&);
  void (*visit_dependencies)(UnitBase&, Visitor&);
  void (*destroy)(UnitBase&);
  // The type of the body: the name of a unit that was given none.
  std::string_view (*type_name)();
  // -- For bodies that wait without a thread; otherwise nullptr.
  // It is cancelled after it was begun: tells them.
  void (*interrupt)(UnitBase&) = nullptr;
  // What the body waits for now. Only while no worker runs: see Scheduler::stillness().
  void (*visit_waits)(UnitBase&, Visitor&) = nullptr;
};

class UnitBase : public Runnable {
 public:
  UnitBase(const UnitOps& ops, ScopeCore& scope, const char* name, std::source_location at)
      : Runnable(ops), scope_(&scope), name_(name), at_(at) {}
  UnitBase(const UnitBase&) = delete;
  UnitBase& operator=(const UnitBase&) = delete;

  void hold() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (held_once() || references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      ops().destroy(*this);
  }
  // By the caller, so that it stays so until the caller passes it on.
  bool held_once() const { return references_.load(std::memory_order_acquire) == 1; }

  bool done() const { return waiters_.load(std::memory_order_acquire) == done_mark; }
  // False if it is done already: then nobody will be told.
  bool add_waiter(Waiter& waiter);
  // Of a unit that is done.
  const Error* error() const { return ops().error(*this); }

  // -- Dependencies. How many will call one_ended(): before the first could.
  void expect(uint32_t dependencies) {
    waits_for_.store(1 + dependencies, std::memory_order_relaxed);
  }
  // A dependency, or something that held up its end, has ended.
  void one_ended(RunnableList& ready) { ended(1, ready); }
  // All dependencies are attached; so many of them have ended already, and will not say so. From
  // now on it runs when the last has ended.
  void start(uint32_t ended_already);
  // Of one that was told to expect none.
  void start();
  // Makes it wait for one more: before its body if that has not begun, otherwise before its end.
  // False if it is done.
  bool expect_late();
  // one_ended() of what held up its end, on a thread that runs nothing else: no unit's end is below
  // this one on the stack, so if that was the last, it ends here and now.
  void one_ended_here();
  // Only in its own body: its end waits for one more.
  void hold_up() { waits_for_.fetch_add(1, std::memory_order_relaxed); }

  // -- Running.
  // True for one caller only: it, and nobody else, gives this unit its result.
  bool claim() { return (flags_.fetch_or(claimed, std::memory_order_acq_rel) & claimed) == 0; }
  bool is_claimed() const { return (flags_.load(std::memory_order_acquire) & claimed) != 0; }
  // Ready, and nobody has begun it.
  bool runnable() const {
    return waits_for_.load(std::memory_order_acquire) == (running_phase | 1) && !is_claimed();
  }
  bool waiting() const {
    uint32_t count = waits_for_.load(std::memory_order_acquire);
    return count != 0 && (count & running_phase) == 0;
  }
  // After claim(): the body, and its end unless that is held up.
  void run_claimed();
  // The same on the stack of someone who waits for it, while it is still in a queue.
  void run_claimed_here() {
    flags_.fetch_or(in_queue, std::memory_order_relaxed);
    run_claimed();
  }
  // After claim() of something without a body, such as an external unit: its result is stored.
  void finish();
  // What a worker does with a ready unit.
  static void run(Runnable& task);

  // Not begun: done with `cancelled` at once. Begun: the body is told when it looks.
  void cancel(Error error = Errc::cancelled);
  bool cancel_asked() const {
    return (flags_.load(std::memory_order_seq_cst) & cancel_wanted) != 0;
  }
  // A late dependency failed: what it was is in the scope.
  void late_failure() { flags_.fetch_or(failed_late, std::memory_order_relaxed); }
  bool has_late_failure() const {
    return (flags_.load(std::memory_order_acquire) & failed_late) != 0;
  }

  const UnitOps& ops() const { return static_cast<const UnitOps&>(*Runnable::ops); }
  ScopeCore& scope() const { return *scope_; }
  std::string_view name() const { return name_ != nullptr ? name_ : ops().type_name(); }
  std::source_location at() const { return at_; }

 protected:
  ~UnitBase() = default;

 private:
  static constexpr uintptr_t done_mark = 1;
  // Something may have made it wait for more after it was started: then its end asks waits_for_.
  static constexpr uintptr_t may_be_held_up = 2;
  static constexpr uint32_t running_phase = uint32_t{1} << 31;
  enum : uint8_t {
    claimed = 1,
    cancel_wanted = 2,
    failed_late = 4,
    in_queue = 8,  // Was begun by another than the scheduler, whose queue it may still be in.
    ending = 16,   // Scheduled again, to end.
  };

  void ended(uint32_t count, RunnableList& ready);
  // claim(), by a worker.
  bool claim_as_scheduler();
  // The common end: a body without a failure, which nothing has ever held up. False if that is not
  // so.
  bool end_unless_held_up();
  void end_later();
  void end();
  // Tells those who waited, the last of whom is given.
  void tell(uintptr_t last);

  std::atomic<uint32_t> references_ = 2;  // A handle and the scheduler.
  std::atomic<uint32_t> waits_for_ = 1;   // start(); later, the body.
  // The last to come first, and may_be_held_up; or done_mark alone.
  std::atomic<uintptr_t> waiters_ = 0;
  ScopeCore* scope_;
  const char* name_;
  std::source_location at_;
  std::atomic<uint8_t> flags_ = 0;
};

// Makes `ready` run: the first at once after what runs now, the others wherever.
void schedule_ready(ScopeCore& scope, RunnableList&& ready);

}  // namespace tram::work
