// What the users of a run call.
#include "tram/work/pools/run_parts.h"

namespace tram::work {

Result<void> RunCore::dispatch(JobBase& job, const DispatchOptions& how, bool may_wait) {
  bool waited_inside = false;
  base::Time no_later = how.deadline;
  std::optional<Error> refused;
  {
    Aftermath after(*this);
    std::unique_lock lock(mutex_);
    if (core().stopped()) return std::unexpected(stop_error());
    if (closed_) return failure(Errc::closed);
    if (dispatchers_.empty() && has_room()) {
      enqueue(job, how.priority);
      settle(after);
      return {};
    }
    if (!may_wait) return failure(Errc::overloaded);
    if (inside()) {
      if (all_would_wait_inside())
        return std::unexpected(named(
            Errc::deadlock,
            "a body would wait for room in the queue of its own pool, and so do the bodies of "
            "all its other workers: dispatch from outside, or give it a larger queue"));
      waited_inside = true;
      ++waiting_inside_;
    } else if (how.deadline == base::Time::never() && !how.stop.stop_possible() &&
               options_.queue_timeout == base::Duration::forever() && help(lock, Until::room)) {
      if (core().stopped()) return std::unexpected(stop_error());
      if (closed_) return failure(Errc::closed);
      enqueue(job, how.priority);
      settle(after);
      return {};
    }
    if (options_.queue_timeout != base::Duration::forever())
      no_later = std::min(no_later, scheduler_.now() + options_.queue_timeout);
    DispatchWaiting waiting(scheduler_, job, how.priority);
    refused = waiting.wait(lock, dispatchers_, {.deadline = no_later, .stop = how.stop});
  }
  if (waited_inside) {
    std::lock_guard lock(mutex_);
    --waiting_inside_;
  }
  if (!refused) return {};
  if (*refused == Errc::timed_out && no_later != how.deadline && !core().stopped())
    return failure(Errc::overloaded, "there was no room in its queue for as long as queue_timeout");
  return std::unexpected(std::move(*refused));
}

Result<JobBase*> RunCore::receive(const Patience& patience) {
  Aftermath after(*this);
  std::unique_lock lock(mutex_);
  received_ = true;
  close_if_fed(after);
  bool is_inside = inside();
  if (results_.empty() && !is_inside && patience.deadline == base::Time::never() &&
      !patience.stop.stop_possible())
    help(lock, Until::result);
  if (!results_.empty()) {
    JobBase& job = results_.pop_front();
    settle(after);
    return &job;
  }
  if (over() || dropping_) return nullptr;
  if (is_inside) {
    if (all_would_wait_inside())
      return std::unexpected(
          named(Errc::deadlock,
                "a body would wait for a result of its own pool, and so do the bodies of all its "
                "other workers: receive outside"));
    ++waiting_inside_;
  }
  ReceiveWaiting waiting(scheduler_);
  std::optional<Error> refused = waiting.wait(lock, receivers_, patience);
  if (is_inside) {
    std::lock_guard again(mutex_);
    --waiting_inside_;
  }
  if (refused) return std::unexpected(std::move(*refused));
  return waiting.job;
}

void RunCore::receive(ResultWaiting& waiting) {
  Aftermath after(*this);
  std::lock_guard lock(mutex_);
  received_ = true;
  close_if_fed(after);
  units_receiving_.push_back(waiting);
  if (!results_.empty()) {
    // Whoever came before would have had it.
    hand_over(results_.pop_front(), after);
    settle(after);
  } else if (over() || dropping_) {
    after.to_wake.serve(units_receiving_, waiting);
  }
}

void RunCore::give_back(JobBase& job) {
  Aftermath after(*this);
  std::lock_guard lock(mutex_);
  if (dropping_)
    after.dropped.push_back(job);
  else if (!hand_over(job, after))
    results_.push_front(job);
}

void RunCore::close() {
  Aftermath after(*this);
  std::lock_guard lock(mutex_);
  closed_ = true;
  after.to_wake.refuse_all(dispatchers_, Errc::closed);
  settle(after);
}

void RunCore::leave() {
  {
    Aftermath after(*this);
    std::lock_guard lock(mutex_);
    dropping_ = true;
    while (!results_.empty()) after.dropped.push_back(results_.pop_front());
    settle(after);
  }
  cancel();
}

void RunCore::feed_begins() {
  std::lock_guard lock(mutex_);
  ++feeds_;
  fed_ = true;
}

void RunCore::feed_ends() {
  Aftermath after(*this);
  std::lock_guard lock(mutex_);
  --feeds_;
  close_if_fed(after);
}

void RunCore::close_if_fed(Aftermath& after) {
  if (!fed_ || feeds_ > 0 || !received_ || closed_) return;
  closed_ = true;
  after.to_wake.refuse_all(dispatchers_, Errc::closed);
  settle(after);
}

void RunCore::add(uint64_t count) {
  std::lock_guard lock(mutex_);
  added_ += count;
}

void RunCore::done() {
  {
    Aftermath after(*this);
    std::lock_guard lock(mutex_);
    if (added_ > 0) {
      --added_;
      settle(after);
      return;
    }
  }
  set_error(named(Errc::failed, "done() was called more often than add() said"));
}

Result<void> RunCore::wait() {
  Aftermath after(*this);
  std::unique_lock lock(mutex_);
  if (inside())
    return std::unexpected(named(Errc::deadlock, "a body would wait for its own pool to be done"));
  if (!help(lock, Until::quiet)) {
    ThreadWaiting waiting(scheduler_);
    if (std::optional<Error> refused = waiting.wait(lock, waiters_, {}))
      return std::unexpected(std::move(*refused));
  }
  if (core().stopped()) return std::unexpected(stop_error());
  return {};
}

Result<void> RunCore::finish() {
  if (inside())
    return std::unexpected(named(Errc::deadlock, "a body would wait for the end of its own pool"));
  {
    Aftermath after(*this);
    std::unique_lock lock(mutex_);
    received_ = true;
    // A feed that goes on closes it.
    if (feeds_ == 0) {
      closed_ = true;
      after.to_wake.refuse_all(dispatchers_, Errc::closed);
    }
    dropping_ = true;
    while (!results_.empty()) after.dropped.push_back(results_.pop_front());
    settle(after);
    if (!over()) {
      // What settle() has set going must be under way before this thread sleeps.
      lock.unlock();
      after.flush();
      lock.lock();
    }
    if (!help(lock, Until::over)) {
      ThreadWaiting waiting(scheduler_);
      if (std::optional<Error> refused = waiting.wait(lock, finishers_, {}))
        return std::unexpected(std::move(*refused));
    }
  }
  Result<void> units = scope_.wait();
  std::lock_guard lock(mutex_);
  ended_ = true;
  bool only_stopped = !units && core().stopped() && units.error() == stop_error().code();
  if (!units && !only_stopped)
    for (const Error& error : units.error().all()) errors_.push_back(error);
  if (errors_.empty()) {
    if (core().stopped()) return std::unexpected(stop_error().in(options_.name, at_));
    return {};
  }
  if (errors_not_kept_ > 0)
    errors_.push_back(named(Errc::failed, std::to_string(std::exchange(errors_not_kept_, 0)) +
                                              " more failures, which were not kept"));
  if (errors_.size() == 1) return std::unexpected(errors_.front());
  return std::unexpected(
      errors_.front().with(std::vector<Error>(errors_.begin() + 1, errors_.end())));
}

std::optional<Error> RunCore::error() const {
  std::lock_guard lock(mutex_);
  if (!errors_.empty()) return errors_.front();
  if (core().stopped()) return stop_error();
  return std::nullopt;
}

void RunCore::set_error(Error error) {
  {
    std::lock_guard lock(mutex_);
    if (errors_.size() < errors_kept_max) errors_.push_back(std::move(error));
  }
  cancel();
}

RunStats RunCore::stats() const {
  std::lock_guard lock(mutex_);
  return {.dispatched = dispatched_,
          .answered = answered_,
          .late = late_,
          .queued = queued_,
          .running = running_,
          .workers = limit_.now(),
          .results = results_.size()};
}

}  // namespace tram::work
