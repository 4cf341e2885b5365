#include "tram/work/queues/line.h"

#include <functional>

namespace tram::work {

// Its last act is to raise `rung`, so that it does not go while it fires.
struct ThreadWaiting::Alarm : Timer {
  Alarm(ThreadWaiting& whose, ShortMutex& its_mutex, Line& its_line, base::Time when)
      : Timer(&ring), of(whose), mutex(its_mutex), line(its_line), at(when) {
    if (at != base::Time::never()) of.scheduler_.start(*this, at);
  }
  ~Alarm() {
    if (at != base::Time::never() && !of.scheduler_.stop(*this)) rung.wait();
  }
  static void ring(Timer& timer) {
    auto& self = static_cast<Alarm&>(timer);
    self.of.give_up(self.mutex, self.line, Errc::timed_out);
    self.rung.raise();
  }
  ThreadWaiting& of;
  ShortMutex& mutex;
  Line& line;
  const base::Time at;
  Signal rung;
};

void ThreadWaiting::give_up(ShortMutex& mutex, Line& line, Errc why) {
  {
    std::lock_guard lock(mutex);
    if (!in_line) return;
    line.erase(*this);
    refused = Error(why);
  }
  signal_.raise();
}

std::optional<Error> ThreadWaiting::wait(std::unique_lock<ShortMutex>& lock, Line& line,
                                         const Patience& patience) {
  ShortMutex& mutex = *lock.mutex();
  line.push_back(*this);
  lock.unlock();
  Alarm alarm(*this, mutex, line, patience.deadline);
  auto stop = [this, &mutex, &line] { give_up(mutex, line, Errc::cancelled); };
  std::optional<std::stop_callback<decltype(stop)>> stopped;
  if (patience.stop.stop_possible()) stopped.emplace(patience.stop, stop);
  if (scheduler_.wait(signal_) == Scheduler::Waited::no_thread_left) {
    {
      std::lock_guard again(mutex);
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
