// Deadlines of the library's own parts, without a clock inside: told the time, gives what is due.
#pragma once

#include "tram/base/heap.h"
#include "tram/base/time.h"

namespace tram::work {

using base::Duration;
using base::Time;

// Something to do at a time. Owned by whoever it serves, who keeps it alive until it has fired or
// was stopped.
struct Timer : base::HeapPlace<Timer> {
  explicit Timer(void (*what)(Timer&)) : fire(what) {}
  // Called by the scheduler on one of its threads, outside of its locks; the timer may be gone when
  // it returns, or have been started again.
  void (*fire)(Timer&);
  Time deadline = Time::never();
  uint64_t order = 0;  // Among equals, the one that was started first fires first.
};

class Timers {
 public:
  void start(Timer& timer, Time deadline) {
    if (timer.in_heap()) heap_.erase(timer);
    timer.deadline = deadline;
    timer.order = ++started_;
    heap_.push(timer);
  }
  // False if it was not running: it fires just now, has fired, or was never started.
  bool stop(Timer& timer) {
    if (!timer.in_heap()) return false;
    heap_.erase(timer);
    return true;
  }
  Time next_deadline() const { return heap_.empty() ? Time::never() : heap_.top().deadline; }
  // The earliest that is due, taken out; nullptr if none is.
  Timer* pop_due(Time now) {
    if (heap_.empty() || heap_.top().deadline > now) return nullptr;
    return &heap_.pop();
  }
  bool empty() const { return heap_.empty(); }

 private:
  struct Earlier {
    bool operator()(const Timer& a, const Timer& b) const {
      return a.deadline < b.deadline || (a.deadline == b.deadline && a.order < b.order);
    }
  };
  base::Heap<Timer, Earlier, Timer> heap_;
  uint64_t started_ = 0;
};

}  // namespace tram::work
