// The scheduler of a simulation: one thread at a time, a clock wound by hand, and at each point
// where threads would race, a choice made from the seed.
//
// Whoever waits keeps its stack, so it waits on a thread of its own, and another thread goes on
// with the simulation. Were that done on top of the waiter's stack, the waiter could not go on
// before what lies above it had ended: two bodies that wait for each other in turn, as the two ends
// of a full queue do, would seem to be a deadlock. Which of those whose wait is over goes on, the
// seed says.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "tram/base/random.h"
#include "tram/work/scheduler/scheduler.h"

namespace tram::work {

class SimScheduler final : public Scheduler {
 public:
  SimScheduler(uint64_t seed, unsigned workers) : random_(seed), workers_(workers) {}
  // What is still in the queue was run in place by somebody who waited for it; it is let go of.
  ~SimScheduler() override;

  Time now() const override { return now_; }
  void schedule(Runnable& task) override { ready_.push_back(&task); }
  void schedule(RunnableList&& tasks) override {
    while (!tasks.empty()) ready_.push_back(&tasks.pop_front());
  }
  void schedule_next(Runnable& task) override { ready_.push_back(&task); }
  void schedule_last(Runnable& task) override { ready_.push_back(&task); }
  void start(Timer& timer, Time deadline) override { timers_.start(timer, deadline); }
  bool stop(Timer& timer) override { return timers_.stop(timer); }
  // Others run whatever can run, and wind the clock, until the signal is raised.
  Waited wait(Signal& signal) override;
  void step_aside() override {}
  bool idle() const override { return ready_.empty() && running_ == 0; }
  bool on_worker() const override { return running_ > 0; }
  unsigned workers() const override { return workers_; }
  void add(IdleHook& hook) override;
  void remove(IdleHook& hook) override;
  void check_idle() override {
    if (idle()) ask_hooks();
  }

  // One task, chosen by the seed; or, if none is ready, the hooks; or, if they have nothing either,
  // the timers that are due next and not after `until`. False if there was nothing of all this.
  bool step(Time until);
  void set_now(Time now) { now_ = now; }
  uint64_t steps() const { return steps_; }

 private:
  struct Parked;

  bool ask_hooks();
  void run_one_of_ready(size_t index);
  // Goes on with the simulation, until somebody who waited can go on instead.
  Parked* choose();
  void carry();

  base::Random random_;
  unsigned workers_;
  Time now_ = Time::from_nanoseconds(0);
  std::vector<Runnable*> ready_;
  Timers timers_;
  base::IntrusiveList<IdleHook, IdleHook> hooks_[2];
  int running_ = 0;  // Bodies on the stack of the thread that runs.
  uint64_t steps_ = 0;
  std::vector<Parked*> parked_;

  // All of the above belongs to the one thread that runs; which one that is, to this mutex.
  std::mutex baton_;
  std::condition_variable carry_on_;
  bool carrier_wanted_ = false;
  bool ending_ = false;
  size_t idle_carriers_ = 0;
  std::vector<std::thread> carriers_;
};

}  // namespace tram::work
