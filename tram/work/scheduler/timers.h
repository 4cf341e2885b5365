// Deadlines of the library's own parts, without a clock inside: told the time, gives what is due.
//
// Most timers are started in the order of their deadlines: all that wait equally long are. So there
// are a few lines in that order, where starting, stopping and firing one takes constant time, and a
// heap for what fits at the end of none.
#pragma once

#include "tram/base/heap.h"
#include "tram/base/intrusive_list.h"
#include "tram/base/time.h"

namespace tram::work {

using base::Duration;
using base::Time;

// Something to do at a time. Owned by whoever it serves, who keeps it alive until it has fired or
// was stopped.
struct Timer : base::HeapPlace<Timer>, base::Link<Timer> {
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
    stop(timer);
    timer.deadline = deadline;
    timer.order = ++started_;
    if (Line* line = line_for(deadline); line != nullptr)
      line->push_back(timer);
    else
      heap_.push(timer);
  }
  // False if it was not running: it fires just now, has fired, or was never started.
  bool stop(Timer& timer) {
    if (timer.linked())
      lines_[0].erase(timer);  // From whichever it is in.
    else if (timer.in_heap())
      heap_.erase(timer);
    else
      return false;
    return true;
  }
  Time next_deadline() {
    const Timer* next = earliest();
    return next == nullptr ? Time::never() : next->deadline;
  }
  // The earliest that is due, taken out; nullptr if none is.
  Timer* pop_due(Time now) {
    Timer* next = earliest();
    if (next == nullptr || next->deadline > now) return nullptr;
    stop(*next);
    return next;
  }
  bool empty() { return earliest() == nullptr; }

 private:
  using Line = base::IntrusiveList<Timer, Timer>;
  static constexpr size_t lines_max = 4;
  struct Earlier {
    bool operator()(const Timer& a, const Timer& b) const {
      return a.deadline < b.deadline || (a.deadline == b.deadline && a.order < b.order);
    }
  };

  // The one whose end is closest before it; nullptr if there is none, and none can be made free.
  Line* line_for(Time deadline) {
    Line* best = nullptr;
    Line* free = nullptr;
    for (Line& line : lines_) {
      if (line.empty())
        free = &line;
      else if (Time end = line.back().deadline;
               end <= deadline && (best == nullptr || end > best->back().deadline))
        best = &line;
    }
    if (best != nullptr) return best;
    if (free != nullptr) return free;
    // One long wait alone does not keep a line: others, shorter ones, come more often.
    for (Line& line : lines_) {
      if (&line.front() != &line.back()) continue;
      Timer& alone = line.front();
      line.erase(alone);
      heap_.push(alone);
      return &line;
    }
    return nullptr;
  }
  Timer* earliest() {
    Timer* first = heap_.empty() ? nullptr : &heap_.top();
    for (Line& line : lines_)
      if (Timer* one = line.first();
          one != nullptr && (first == nullptr || Earlier()(*one, *first)))
        first = one;
    return first;
  }

  Line lines_[lines_max];
  base::Heap<Timer, Earlier, Timer> heap_;
  uint64_t started_ = 0;
};

}  // namespace tram::work
