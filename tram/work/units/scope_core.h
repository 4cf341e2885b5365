// A scope as its units see it: what they share.
//
// Stopping travels down the tree of scopes and is a flag that units read; nothing is registered for
// each unit. What waits for the world outside (external units, sleeps) is in a list here, so that
// stopping ends it at once; what depends on that then ends by itself.
//
// Threads: any, unless a method says otherwise.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "tram/base/intrusive_list.h"
#include "tram/base/time.h"
#include "tram/work/error.h"
#include "tram/work/scheduler/live_count.h"
#include "tram/work/scheduler/scheduler.h"
#include "tram/work/scheduler/short_mutex.h"
#include "tram/work/scheduler/unit_memory.h"
#include "tram/work/units/unit_base.h"

namespace tram::work {

// A unit that the world outside ends. In its scope's list until then.
struct Outside : base::Link<Outside> {
  explicit Outside(UnitBase& of) : unit(of) {}
  UnitBase& unit;
};

// Somebody waits for a unit in a way that the units themselves do not show. Only with such a wait
// can units wait for each other in a circle; all others wait for what was there before them. In the
// scope's list while it lasts.
struct Suspect : base::Link<Suspect> {
  UnitBase* waiting = nullptr;
  // nullptr: what `waiting` says (UnitOps::visit_waits). Such a suspect is looked at once, and then
  // taken out of the list; it is added again when it next waits.
  UnitBase* waited_for = nullptr;
  // Ends the wait, under the scope's lock. True if `waiting` is then to be told that one_ended.
  bool (*fail)(Suspect&, const Error&) = nullptr;
  // In the list. Changed under the scope's lock; while a worker runs its body, by that alone.
  std::atomic<bool> listed = false;
};

// Told when the scope stops, under the scope's lock: must be short and run nobody's code. For what
// waits for something that does not stop with it.
struct StopListener : base::Link<StopListener> {
  explicit StopListener(void (*how)(StopListener&)) : tell(how) {}
  void (*tell)(StopListener&);
};

// What a unit fails with whose dependency failed: dependency_failed with the cause, or, if that was
// stopped, the same.
Error because_of(const UnitBase& dependency);

// Holds up a unit: its body returned another unit, or it was given a dependency late.
class HoldUp final : Waiter, Suspect {
 public:
  // After `unit` expects one more. Destroys itself.
  static void attach(UnitBase& unit, UnitBase& until, bool failure_counts);

 private:
  HoldUp(UnitBase& unit, UnitBase& until, bool failure_counts);
  static void* operator new(size_t size) { return UnitMemory::take(size); }
  static void operator delete(void* memory, size_t size) { UnitMemory::give_back(memory, size); }
  static void ended(Waiter& waiter, UnitBase& done, RunnableList& ready);
  static bool fail_it(Suspect& suspect, const Error& error);

  const bool failure_counts_;
  std::atomic<bool> over_ = false;
};

class ScopeCore final : public LiveCount, public base::Link<ScopeCore> {
 public:
  struct Options {
    std::string_view name;
    bool keep_going = false;
    bool keep_failures = true;  // If not, each is its own unit's affair, and wait() tells of none.
    base::Time deadline = base::Time::never();
    std::stop_token stop;
  };
  ScopeCore(Scheduler& scheduler, ScopeCore* parent, const Options& options);
  // After wait().
  ~ScopeCore();

  Scheduler& scheduler() const { return scheduler_; }
  std::string_view name() const { return name_; }
  base::Time deadline() const { return deadline_; }
  ScopeCore* parent() const { return parent_; }

  void begun() { add(); }
  void ended() { remove(); }
  // Until everything in it is over. One thread at a time. False, at once, if no thread is left that
  // could end it.
  bool wait();

  // -- Stopping.
  bool stopped() const { return stop_code_.load(std::memory_order_seq_cst) != not_stopped; }
  // Of a scope that is stopped.
  Error stop_error() const { return Error(static_cast<Errc>(stop_code_.load())); }
  void stop(Errc why);
  // Made when it is first asked for.
  std::stop_token stop_token();
  void note_failure(const UnitBase& unit, const Error& error);
  // The first failure, holding the others; no value if there was none. Taken: the next call begins
  // anew.
  std::optional<Error> take_failures();

  // One that is added after the scope has stopped is not told.
  void add_stop_listener(StopListener& listener);
  void remove_stop_listener(StopListener& listener);

  // -- What waits for the world outside. False if the scope is stopped: then it is not in the list.
  bool add_outside(Outside& outside);
  // Does nothing to one that is not in the list.
  void remove_outside(Outside& outside);
  // The same for many, under one lock: while it is held, those that are in the list are what the
  // scope's stop ends.
  std::unique_lock<ShortMutex> hold_outside() { return std::unique_lock(mutex_); }
  void remove_outside(Outside& outside, const std::unique_lock<ShortMutex>& held);

  // -- Circles.
  // Does nothing to one that is in the list.
  void add_suspect(Suspect& suspect);
  // Does nothing to one that is not.
  void remove_suspect(Suspect& suspect);
  // What a late dependency failed with; kept until it is asked for.
  void set_late_failure(UnitBase& unit, const Error& error);
  Error late_failure_of(UnitBase& unit);

  // -- Values that travel with the scope, found by type, also from scopes within it.
  void set_local(std::type_index type, std::shared_ptr<void> value);
  std::shared_ptr<void> local(std::type_index type);
  // The one object of this type that the scope has; `make` makes it if there is none.
  void* single(std::type_index type, const std::function<std::shared_ptr<void>()>& make);

 private:
  static constexpr int not_stopped = -1;
  class DeadlockHook;
  struct FailTask;

  void on_zero() override;
  // Sets the flag here and below; what is to be told afterwards, without a lock, is collected.
  struct ToTell;
  void set_stopped(Errc why, ToTell& to_tell);
  // Schedules the end of one circle, if there is one.
  bool find_deadlock();
  void unlist(Suspect& suspect);
  void break_circle(UnitBase& waiting, UnitBase& waited_for, const Error& error);

  Scheduler& scheduler_;
  ScopeCore* const parent_;
  const std::string name_;
  const base::Time deadline_;
  const bool keep_going_;
  const bool keep_failures_;
  std::atomic<int> stop_code_ = not_stopped;

  struct DeadlineTimer : Timer {
    explicit DeadlineTimer(ScopeCore& of);
    ScopeCore& scope;
  };
  DeadlineTimer deadline_timer_;
  Signal deadline_fired_;  // Its last act, so that the scope does not go while it fires.

  ShortMutex mutex_;
  // Guarded by mutex_.
  Signal* all_over_ = nullptr;
  base::IntrusiveList<ScopeCore, ScopeCore> children_;
  base::IntrusiveList<Outside, Outside> outside_;
  std::vector<Error> failures_;
  std::optional<std::stop_source> stop_source_;
  base::IntrusiveList<Suspect, Suspect> suspects_;
  base::IntrusiveList<StopListener, StopListener> stop_listeners_;
  std::unordered_map<UnitBase*, Error> late_failures_;
  std::vector<std::pair<std::type_index, std::shared_ptr<void>>> locals_;
  std::vector<std::pair<std::type_index, std::shared_ptr<void>>> singles_;

  std::unique_ptr<DeadlockHook> deadlock_hook_;
  std::optional<std::stop_callback<std::function<void()>>> outer_stop_;
};

}  // namespace tram::work
