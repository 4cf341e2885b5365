// The thread that waits for deadlines. It begins with the first timer; without one it sleeps.
//
// Timers fire on this thread, not on a worker, because the workers may all be busy with the very
// thing whose time has run out. What they do is short: they schedule, or ask to stop.
//
// Those that are due at the same time fire together. Where many are, it looks again at most every
// 50 microseconds, which is how late a timer may then be beyond what the system adds.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "tram/work/scheduler/timers.h"

namespace tram::work {

class Timekeeper {
 public:
  // `fire_all` fires those that it is given, in this order, on this thread.
  using FireAll = std::function<void(std::span<Timer* const>)>;
  explicit Timekeeper(FireAll fire_all) : fire_all_(std::move(fire_all)) {}
  ~Timekeeper();
  // Any thread.
  void start(Timer& timer, Time deadline);
  bool stop(Timer& timer);
  static Time now();

 private:
  void keep_time();

  const FireAll fire_all_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable changed_;
  Timers timers_;
  Time waits_until_ = Time::never();
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tram::work
