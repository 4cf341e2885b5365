#include "tram/work/queues/line.h"

#include <functional>

namespace tram::work {

// Its last act is to raise `rung`, so that it does not go while it fires.
struct ThreadWaiting::Alarm : Timer {
  Alarm(ThreadWaiting& whose, LineGuard its_guard, Line& its_line, base::Time when)
      : Timer(&ring), of(whose), guard(its_guard), line(its_line), at(when) {
    if (at != base::Time::never()) of.scheduler_.start(*this, at);
  }
  ~Alarm() {
    if (at != base::Time::never() && !of.scheduler_.stop(*this)) rung.wait();
  }
  static void ring(Timer& timer) {
    auto& self = static_cast<Alarm&>(timer);
    self.of.give_up(self.guard, self.line, Errc::timed_out);
    self.rung.raise();
  }
  ThreadWaiting& of;
  const LineGuard guard;
  Line& line;
  const base::Time at;
  Signal rung;
};

void ThreadWaiting::give_up(LineGuard guard, Line& line, Errc why) {
  {
    std::lock_guard lock(guard);
    if (!in_line) return;
    line.erase(*this);
    refused = Error(why);
  }
  signal_.raise();
}

std::optional<Error> ThreadWaiting::wait_for_turn(LineGuard guard, Line& line,
                                                  const Patience& patience) {
  Alarm alarm(*this, guard, line, patience.deadline);
  auto stop = [this, guard, &line] { give_up(guard, line, Errc::cancelled); };
  std::optional<std::stop_callback<decltype(stop)>> stopped;
  if (patience.stop.stop_possible()) stopped.emplace(patience.stop, stop);
  if (scheduler_.wait(signal_) == Scheduler::Waited::no_thread_left) {
    {
      std::lock_guard again(guard);
      if (in_line) {
        line.erase(*this);
        return Error(Errc::deadlock,
                     "it would wait for what no thread is left to do: all workers wait, and nobody "
                     "may take their place (blocking_max)");
      }
    }
    // Served in the meantime, by somebody who is about to say so.
    signal_.wait();
  }
  return std::move(refused);
}

}  // namespace tram::work
