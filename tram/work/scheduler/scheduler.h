// What the parts of the library ask of whatever runs them. Two answer: threads
// (thread_scheduler.h) and a simulation (sim_scheduler.h). Users see neither: see runtime.h.
//
// Threads: every method may be called from any thread, unless it says otherwise.
#pragma once

#include <mutex>

#include "tram/base/intrusive_list.h"
#include "tram/work/scheduler/runnable.h"
#include "tram/work/scheduler/signal.h"
#include "tram/work/scheduler/timers.h"

namespace tram::work {

// Asked when nothing is left to run: every worker is idle and every queue is empty, though timers
// and the world outside may still bring work.
class IdleHook : public base::Link<IdleHook> {
 public:
  // Lower ones are asked first, and the others only if none of those had anything to do.
  enum class Rank { flush, deadlock };
  explicit IdleHook(Rank rank) : rank_(rank) {}
  Rank rank() const { return rank_; }
  // True if it found something to do and scheduled it. Called under a lock of the scheduler's:
  // must be short, and must not add or remove hooks. By then somebody may run again: to whom that
  // matters, asks Scheduler::idle().
  virtual bool on_idle() = 0;

 protected:
  ~IdleHook() = default;

 private:
  Rank rank_;
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  virtual Time now() const = 0;

  virtual void schedule(Runnable& task) = 0;
  virtual void schedule(RunnableList&& tasks) = 0;
  // Runs it on this thread as soon as the running task has returned, if this is a worker and
  // nothing else was given so before; otherwise like schedule(). For what a task has just made
  // ready: its data are in the cache, and nobody needs to be woken.
  virtual void schedule_next(Runnable& task) = 0;
  // Runs it after what is scheduled already. For who gives way to others.
  virtual void schedule_last(Runnable& task) = 0;

  virtual void start(Timer& timer, Time deadline) = 0;
  // False if it was not running, or fires just now on another thread.
  virtual bool stop(Timer& timer) = 0;

  enum class Waited { raised, no_thread_left };
  // Blocks this thread until the signal is raised. A worker gives its place to another thread for
  // as long; `no_thread_left`, at once, if there is none and every other worker waits likewise, so
  // that nothing could ever raise it.
  virtual Waited wait(Signal& signal) = 0;

  // This thread is going to block in somebody's code: another one takes its place as a worker, if
  // it is one and the limit of threads allows. What it runs goes on here.
  virtual void step_aside() = 0;

  // What this worker has spawned and kept to itself may be taken by others now.
  virtual void announce() {}

  // Nothing runs, and nothing waits to run.
  virtual bool idle() const = 0;
  virtual bool on_worker() const = 0;
  virtual unsigned workers() const = 0;

  virtual void add(IdleHook& hook) = 0;
  virtual void remove(IdleHook& hook) = 0;
  // Asks the hooks, if idle. For a thread that is about to wait for what may never come.
  virtual void check_idle() = 0;
  // Held while hooks of rank `deadlock` look at units that wait. Who ends waiting units from a
  // thread that is not a worker holds it too.
  std::mutex& stillness() { return stillness_; }

 private:
  std::mutex stillness_;
};

}  // namespace tram::work
