// The thread that waits for deadlines. It begins with the first timer; without one it sleeps.
//
// Timers fire on this thread, not on a worker, because the workers may all be busy with the very
// thing whose time has run out. What they do is short: they schedule, or ask to stop.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "tram/work/scheduler/timers.h"

namespace tram::work {

class Timekeeper {
 public:
  Timekeeper() = default;
  ~Timekeeper();
  // Any thread.
  void start(Timer& timer, Time deadline);
  bool stop(Timer& timer);
  static Time now();

 private:
  void keep_time();

  std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable changed_;
  Timers timers_;
  Time waits_until_ = Time::never();
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tram::work
