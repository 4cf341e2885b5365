// What a run consists of: who is at work, who waits, and what is to be done once the lock is free.
// Included by the three files of RunCore only: run_core.cc (its rules), run_carriers.cc (its work
// and its time) and run_calls.cc (what its users call).
#pragma once

#include <utility>

#include "tram/base/assert.h"
#include "tram/work/pools/run_core.h"

namespace tram::work {

// Somebody at work: the job that it has, and its time.
struct RunCore::Carrier : Timer {
  explicit Carrier(RunCore& run)
      : Timer([](Timer& timer) {
          auto& self = static_cast<Carrier&>(timer);
          self.of.timer_fired(self);
        }),
        of(run) {}

  RunCore& of;
  // Guarded by the run's lock.
  bool busy = false;
  bool answered = false;  // The receiver was told that time ran out; what the body gives is late.
  uint64_t number = 0;
  base::Time started;
  unsigned beside = 0;  // Bodies that ran when this one began, it included.
  Phase phase = Phase::none;
  base::Time due = base::Time::never();       // Of the phase.
  base::Time deadline = base::Time::never();  // Of the job.
};

struct RunCore::DispatchWaiting : ThreadWaiting {
  DispatchWaiting(Scheduler& scheduler, JobBase& what, Priority how)
      : ThreadWaiting(scheduler), job(what), priority(how) {}
  JobBase& job;
  const Priority priority;
};

struct RunCore::ReceiveWaiting : ThreadWaiting {
  using ThreadWaiting::ThreadWaiting;
  JobBase* job = nullptr;
};

struct RunCore::QueueTimer : Timer {
  explicit QueueTimer(RunCore& run)
      : Timer([](Timer& timer) { static_cast<QueueTimer&>(timer).of.queue_timer_fired(); }),
        of(run) {}
  RunCore& of;
};

// What is to be done once the lock is free: declared before it is taken.
struct RunCore::Aftermath {
  explicit Aftermath(RunCore& run) : of(run) {}
  ~Aftermath() { flush(); }
  void flush() {
    if (!tasks.empty()) of.scheduler_.schedule(std::move(tasks));
    to_wake.now();
    while (!dropped.empty()) of.destroy(dropped.pop_front());
    if (std::exchange(cancel, false)) of.cancel();
  }
  RunCore& of;
  RunnableList tasks;
  ToWake to_wake;
  JobList dropped;
  bool cancel = false;
};

}  // namespace tram::work
