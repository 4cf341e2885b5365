#include "tram/work/scheduler/timekeeper.h"

#include <chrono>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "tram/base/system_clock.h"

namespace tram::work {

Timekeeper::~Timekeeper() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

Time Timekeeper::now() { return base::SystemClock().now(); }

void Timekeeper::start(Timer& timer, Time deadline) {
  bool sooner = false;
  {
    std::lock_guard lock(mutex_);
    timers_.start(timer, deadline);
    if (!thread_.joinable()) thread_ = std::thread([this] { keep_time(); });
    sooner = deadline < waits_until_;
    if (sooner) waits_until_ = deadline;  // One who wakes it is enough.
  }
  // Without the lock: the thread may run at once, on this very processor, and wants it.
  if (sooner) changed_.notify_one();
}

bool Timekeeper::stop(Timer& timer) {
  // The thread is not woken: at most it wakes once for nothing.
  std::lock_guard lock(mutex_);
  return timers_.stop(timer);
}

void Timekeeper::keep_time() {
#ifdef __linux__
  // The kernel may otherwise wake us 50 microseconds late to save power.
  ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
#endif
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (Timer* due = timers_.pop_due(now()); due != nullptr) {
      waits_until_ = Time::never();
      lock.unlock();
      due->fire(*due);
      lock.lock();
      continue;
    }
    waits_until_ = timers_.next_deadline();
    if (waits_until_ == Time::never())
      changed_.wait(lock);
    else
      changed_.wait_until(lock, std::chrono::steady_clock::time_point(
                                    std::chrono::nanoseconds(waits_until_.nanoseconds())));
  }
}

}  // namespace tram::work
