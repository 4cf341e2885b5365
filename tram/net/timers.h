// Deadlines, without a clock inside: told the time, fires what is due.
#pragma once

#include <functional>

#include "tram/base/heap.h"
#include "tram/base/time.h"

namespace tram::net {

using base::Duration;
using base::Time;

// Something to do at a time. Owned by whoever it serves; stops itself when it dies.
class Timer : public base::HeapPlace<Timer> {
 public:
  // `fire` may start its own or any other timer again, and may destroy this one.
  explicit Timer(std::move_only_function<void()> fire) : fire_(std::move(fire)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  bool running() const { return in_heap(); }
  Time deadline() const { return deadline_; }

 private:
  friend class Timers;
  friend struct EarlierTimer;
  std::move_only_function<void()> fire_;
  Time deadline_;
  class Timers* timers_ = nullptr;
};

struct EarlierTimer {
  bool operator()(const Timer& a, const Timer& b) const { return a.deadline_ < b.deadline_; }
};

class Timers {
 public:
  // Starts it, or moves it if it is running.
  void start(Timer& timer, Time deadline);
  // Does nothing to a timer that is not running.
  void stop(Timer& timer);
  // Time::never() if nothing runs.
  Time next_deadline() const;
  // Fires everything due at or before `now`, earliest first. A timer that is started while
  // this runs with a deadline that is already past fires in the next call.
  void advance(Time now);

 private:
  base::Heap<Timer, EarlierTimer, Timer> heap_;
};

}  // namespace tram::net
