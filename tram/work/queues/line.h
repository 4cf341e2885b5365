// Those who wait for their turn at something that a short lock guards: first come, first served.
//
// Whoever serves takes the first out of the line under the lock, gives it what it waits for, and
// wakes it when the lock is free again. Who waits may be a thread (ThreadWaiting: through the
// scheduler, so that a worker gives its place to another meanwhile) or anything that has a `wake`.
#pragma once

#include <limits>
#include <mutex>
#include <optional>
#include <stop_token>

#include "tram/base/intrusive_list.h"
#include "tram/work/error.h"
#include "tram/work/scheduler/scheduler.h"
#include "tram/work/scheduler/short_mutex.h"

namespace tram::work {

// A queue without a limit, which has to be asked for by this name.
inline constexpr size_t unbounded = std::numeric_limits<size_t>::max();

// How long somebody is willing to wait.
struct Patience {
  base::Time deadline = base::Time::never();  // Of the runtime's clock: see Runtime::now().
  std::stop_token stop = {};
};

// What guards a line, whatever its type is.
class LineGuard {
 public:
  template <class Mutex>
  static LineGuard of(Mutex& mutex) {
    return LineGuard(
        &mutex, [](void* which) { static_cast<Mutex*>(which)->lock(); },
        [](void* which) { static_cast<Mutex*>(which)->unlock(); });
  }
  void lock() { lock_(mutex_); }
  void unlock() { unlock_(mutex_); }

 private:
  using Call = void (*)(void*);
  LineGuard(void* mutex, Call to_lock, Call to_unlock)
      : mutex_(mutex), lock_(to_lock), unlock_(to_unlock) {}

  void* mutex_;
  Call lock_;
  Call unlock_;
};

struct Waiting : base::Link<Waiting> {
  explicit Waiting(void (*how)(Waiting&)) : wake(how) {}
  // Once it has left the line, without the lock. It may be gone when this returns.
  void (*wake)(Waiting&);
  bool in_line = false;          // Guarded by the lock.
  std::optional<Error> refused;  // Why it was not served. Written before it is woken.
};

// Guarded by the lock.
class Line {
 public:
  bool empty() const { return waiting_.empty(); }
  size_t size() const { return size_; }
  void push_back(Waiting& waiting) {
    ++size_;
    waiting.in_line = true;
    waiting_.push_back(waiting);
  }
  Waiting& front() { return waiting_.front(); }
  Waiting* first() { return waiting_.first(); }
  Waiting* next(Waiting& waiting) { return waiting_.next(waiting); }
  void erase(Waiting& waiting) {
    --size_;
    waiting.in_line = false;
    waiting_.erase(waiting);
  }

 private:
  base::IntrusiveList<Waiting, Waiting> waiting_;
  size_t size_ = 0;
};

// Collects under the lock who is to be woken, and wakes them when it dies: so it is declared before
// the lock is taken.
class ToWake {
 public:
  ToWake() = default;
  ToWake(const ToWake&) = delete;
  ToWake& operator=(const ToWake&) = delete;
  ~ToWake() { now(); }
  // Without the lock.
  void now() {
    while (!waiting_.empty()) {
      Waiting& waiting = waiting_.pop_front();
      waiting.wake(waiting);
    }
  }
  void serve(Line& line, Waiting& waiting) {
    line.erase(waiting);
    waiting_.push_back(waiting);
  }
  void refuse(Line& line, Waiting& waiting, Error why) {
    waiting.refused = std::move(why);
    serve(line, waiting);
  }
  void refuse_all(Line& line, const Error& why) {
    while (!line.empty()) refuse(line, line.front(), why);
  }

 private:
  base::IntrusiveList<Waiting, Waiting> waiting_;
};

// A thread that waits in a line. On its stack.
class ThreadWaiting : public Waiting {
 public:
  explicit ThreadWaiting(Scheduler& scheduler) : Waiting(&raise_signal), scheduler_(scheduler) {}

  // Goes to the end of the line, lets go of `lock`, and returns when it was served, or with the
  // reason why not: `refused`; timed_out or cancelled, by its own patience; deadlock, if no thread
  // is left that could serve it.
  template <class Mutex>
  std::optional<Error> wait(std::unique_lock<Mutex>& lock, Line& line, const Patience& patience) {
    LineGuard guard = LineGuard::of(*lock.mutex());
    line.push_back(*this);
    lock.unlock();
    return wait_for_turn(guard, line, patience);
  }

 private:
  struct Alarm;
  std::optional<Error> wait_for_turn(LineGuard guard, Line& line, const Patience& patience);
  static void raise_signal(Waiting& waiting) {
    static_cast<ThreadWaiting&>(waiting).signal_.raise();
  }
  void give_up(LineGuard guard, Line& line, Errc why);

  Scheduler& scheduler_;
  Signal signal_;
};

}  // namespace tram::work
