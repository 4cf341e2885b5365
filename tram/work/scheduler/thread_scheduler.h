// Workers: each with a deque of its own, a slot for what it makes ready, and a shared queue for
// what comes from outside. Who finds nothing looks at the others' for a moment, then sleeps; a
// sleeping worker costs nothing.
//
//   outside ──► injection queue ──┐            a worker takes, in this order:
//                                 ├─► worker    1 its slot   2 its deque, newest first
//   worker ──► its own deque ─────┘  ▲          3 the injection queue, a handful at a time
//                  └── thieves ──────┘          4 others' deques, oldest first
// Once in a while it takes from the injection queue, or its own oldest, first: so nothing starves.
//
// No wake-up is lost: who adds work first makes it visible and then looks for sleepers; who goes to
// sleep first says so and then looks for work. Both are sequentially consistent, so one of them
// sees the other.
//
// A body's first spawn is not announced to sleepers: the worker itself takes it when the body ends,
// which is mostly at once. It is announced with the second spawn, or when the body waits, blocks or
// looks at its stop token. So a chain of units keeps to one core.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tram/base/random.h"
#include "tram/work/scheduler/scheduler.h"
#include "tram/work/scheduler/short_mutex.h"
#include "tram/work/scheduler/timekeeper.h"
#include "tram/work/scheduler/work_deque.h"

namespace tram::work {

class ThreadScheduler final : public Scheduler {
 public:
  struct Options {
    unsigned workers = 1;
    unsigned blocking_max = 64;
    Duration spare_idle = std::chrono::seconds(10);
  };
  explicit ThreadScheduler(Options options);
  // What is scheduled is run first; then the threads end.
  ~ThreadScheduler() override;

  Time now() const override { return Timekeeper::now(); }
  void schedule(Runnable& task) override;
  void schedule(RunnableList&& tasks) override;
  void schedule_next(Runnable& task) override;
  void schedule_last(Runnable& task) override;
  void start(Timer& timer, Time deadline) override { timekeeper_.start(timer, deadline); }
  bool stop(Timer& timer) override { return timekeeper_.stop(timer); }
  Waited wait(Signal& signal) override;
  void step_aside() override;
  bool idle() const override;
  bool on_worker() const override;
  unsigned workers() const override { return options_.workers; }
  void add(IdleHook& hook) override;
  void remove(IdleHook& hook) override;
  void check_idle() override;

  void announce() override;
  // Threads that exist now, workers and spare ones.
  unsigned threads() const;

 private:
  struct Worker;
  // A queue of pointers, not a list through the tasks: who takes a handful under the lock would
  // otherwise wait there for each task's memory.
  struct alignas(64) Injection {
    ShortMutex lock;
    std::deque<Runnable*> tasks;  // Guarded by lock.
    std::atomic<size_t> size = 0;
  };

  Worker* current() const;
  void thread_main(Worker* worker);
  // Runs tasks until this thread is no worker any more, or the scheduler ends.
  void work();
  void run(Worker& worker, Runnable& task);
  Runnable* next_task(Worker& worker);
  // The first is given; up to `at_most` - 1 more go to the worker's deque.
  Runnable* take_injected(Worker& worker, size_t at_most);
  Runnable* steal(Worker& thief);
  // nullptr: the worker slept and was woken, or the scheduler ends.
  Runnable* search(Worker& worker);
  void sleep(Worker& worker);
  void push(Worker& worker, Runnable& task);
  void inject(RunnableList&& tasks);
  void inject(Runnable& task);
  // It will not come back for what it has for a while: others are to take it.
  void share_all(Worker& worker);
  bool work_is_visible() const;
  void wake_one();
  void leave_idle();
  // Ranks in order; true if one had something to do.
  bool ask_hooks();
  bool ask_to_flush();
  // For the last one that runs: true if a hook of rank `flush` has scheduled something.
  bool flush_early();
  // Hands the place of this thread to another one; false if the limit does not allow.
  bool give_place_away();
  void take_place_back();
  Worker* wait_for_place();

  const Options options_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Injection injection_;
  alignas(64) std::atomic<int> sleepers_ = 0;
  std::atomic<int> searching_ = 0;
  std::atomic<unsigned> idle_ = 0;
  std::atomic<uint64_t> idle_ended_ = 0;  // How often one of them was idle no more: see idle().
  std::atomic<bool> looking_ = false;     // A hook looks at units: nobody may start to run.
  std::atomic<bool> ending_ = false;

  std::mutex sleep_mutex_;
  std::vector<Worker*> asleep_;  // Guarded by sleep_mutex_.

  std::mutex hooks_mutex_;
  base::IntrusiveList<IdleHook, IdleHook> hooks_[2];  // Guarded by hooks_mutex_.
  std::atomic<bool> has_flush_hooks_ = false;

  mutable std::mutex places_mutex_;
  // Guarded by places_mutex_.
  std::condition_variable place_vacant_;
  std::vector<Worker*> vacant_;
  unsigned spare_ = 0;    // Threads that wait for a place.
  unsigned running_ = 0;  // Threads that exist.
  unsigned stuck_ = 0;    // Workers that wait with nobody to take their place.
  std::vector<std::thread> threads_;
  std::vector<std::thread::id> ended_;

  // On the thread of timekeeper_: what they schedule is handed over in one piece.
  void fire(std::span<Timer* const> timers);

  Timekeeper timekeeper_{[this](std::span<Timer* const> due) {
    fire(due);
  }};  // Last: it is stopped before anything that its timers use is gone.
};

}  // namespace tram::work
