#include "tram/net/timers.h"

namespace tram::net {

Timer::~Timer() {
  if (running()) timers_->stop(*this);
}

void Timers::start(Timer& timer, Time deadline) {
  timer.deadline_ = deadline;
  timer.timers_ = this;
  if (timer.running())
    heap_.moved(timer);
  else
    heap_.push(timer);
}

void Timers::stop(Timer& timer) {
  if (timer.running()) heap_.erase(timer);
}

Time Timers::next_deadline() const {
  return heap_.empty() ? Time::never() : heap_.top().deadline();
}

void Timers::advance(Time now) {
  // As many as were there at the start: a timer that starts itself again for "now" gets its
  // next turn in the next call, so this always ends.
  for (size_t most = heap_.size(); most > 0 && next_deadline() <= now; --most) heap_.pop().fire_();
}

}  // namespace tram::net
