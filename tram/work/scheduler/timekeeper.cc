#include "tram/work/scheduler/timekeeper.h"

#include <algorithm>
#include <chrono>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "tram/base/system_clock.h"
#include "tram/work/scheduler/short_mutex.h"

namespace tram::work {
namespace {

constexpr size_t fired_at_once_max = 64;
// So many at once are many.
constexpr size_t many = 4;
constexpr Duration pause_where_many = std::chrono::microseconds(50);

}  // namespace

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
    lock_soon(mutex_);
    std::lock_guard lock(mutex_, std::adopt_lock);
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
  lock_soon(mutex_);
  std::lock_guard lock(mutex_, std::adopt_lock);
  return timers_.stop(timer);
}

void Timekeeper::keep_time() {
#ifdef __linux__
  // The kernel may otherwise wake us 50 microseconds late to save power.
  ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
#endif
  std::vector<Timer*> due;
  Time not_before = Time::from_nanoseconds(0);
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const Time now = Timekeeper::now();
    due.clear();
    while (now >= not_before && due.size() < fired_at_once_max) {
      Timer* timer = timers_.pop_due(now);
      if (timer == nullptr) break;
      due.push_back(timer);
    }
    if (!due.empty()) {
      waits_until_ = Time::from_nanoseconds(0);  // It looks again by itself.
      lock.unlock();
      fire_all_(due);
      lock_soon(mutex_);
      lock = std::unique_lock(mutex_, std::adopt_lock);
      if (due.size() >= many && due.size() < fired_at_once_max)
        not_before = Timekeeper::now() + pause_where_many;
      continue;
    }
    waits_until_ = std::max(timers_.next_deadline(), not_before);
    if (waits_until_ == Time::never())
      changed_.wait(lock);
    else
      changed_.wait_until(lock, std::chrono::steady_clock::time_point(
                                    std::chrono::nanoseconds(waits_until_.nanoseconds())));
  }
}

}  // namespace tram::work
