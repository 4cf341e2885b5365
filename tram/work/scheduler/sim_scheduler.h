// The scheduler of a simulation: one thread, a clock wound by hand, and at each point where threads
// would race, a choice made from the seed.
#pragma once

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
  void schedule(Task& task) override { ready_.push_back(&task); }
  void schedule(TaskList&& tasks) override {
    while (!tasks.empty()) ready_.push_back(&tasks.pop_front());
  }
  void schedule_next(Task& task) override { ready_.push_back(&task); }
  void start(Timer& timer, Time deadline) override { timers_.start(timer, deadline); }
  bool stop(Timer& timer) override { return timers_.stop(timer); }
  // Runs whatever can run, and winds the clock, until the signal is raised.
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
  bool ask_hooks();

  base::Random random_;
  unsigned workers_;
  Time now_ = Time::from_nanoseconds(0);
  std::vector<Task*> ready_;
  Timers timers_;
  base::IntrusiveList<IdleHook, IdleHook> hooks_[2];
  int running_ = 0;  // Bodies on the stack: more than one where a body waits.
  uint64_t steps_ = 0;
};

}  // namespace tram::work
