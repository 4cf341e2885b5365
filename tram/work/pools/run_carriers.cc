// The work of a run, and its time: carriers, helpers, timers, the stop.
#include "tram/work/pools/run_parts.h"

namespace tram::work {
namespace {

// After so many jobs a carrier lets others have the worker.
constexpr int jobs_per_turn = 64;

}  // namespace

// Job after job, until there is none for this carrier; of a helper, until what it waits for.
void RunCore::carry(Crew::Ticket* ticket, Until until) {
  core().focus();
  Carrier* carrier = nullptr;
  JobBase* done = nullptr;
  std::optional<JobFrame> frame;
  for (int left = jobs_per_turn;; --left) {
    JobBase* job = nullptr;
    {
      Aftermath after(*this);
      std::lock_guard lock(mutex_);
      if (ticket != nullptr) crew_.arrived(*std::exchange(ticket, nullptr));
      if (carrier == nullptr) carrier = &take_carrier();
      if (done != nullptr) conclude(*carrier, *done, after);
      // A result that found no room, or a lower limit, may have taken this place.
      bool goes_on =
          queued_ > 0 && !stopping_ && active_ + places_taken_by_results() <= limit_.now();
      if (goes_on && left > 0 && !reached(until)) {
        job = pick();
        begin(*carrier, *job);
      } else {
        --active_;
        idle_carriers_.push_back(carrier);
      }
      settle(after);
    }
    if (job == nullptr) break;
    if (!frame) frame.emplace(core(), options_.name.c_str(), at_, this);
    run_body(*carrier, *job, *frame);
    done = job;
  }
  frame.reset();
  core().ended();
}

bool RunCore::reached(Until until) const {
  switch (until) {
    case Until::nothing_left:
      return false;
    case Until::room:
      return stopped_ || closed_ || (dispatchers_.empty() && has_room());
    case Until::result:
      return !results_.empty() || over();
    case Until::quiet:
      return quiet();
    case Until::over:
      return over();
  }
  return true;
}

bool RunCore::help(std::unique_lock<ShortMutex>& lock, Until until) {
  if (options_.blocking || !scheduler_.on_worker()) return reached(until);
  while (!reached(until) && crew_.take_over()) {
    lock.unlock();
    // What this worker has kept to itself may be what others wait for.
    scheduler_.announce();
    carry(nullptr, until);
    scheduler_.announce();
    lock.lock();
  }
  return reached(until);
}

void RunCore::run_body(Carrier& carrier, JobBase& job, const JobFrame& frame) {
  if (options_.blocking) scheduler_.step_aside();
  if (options_.job_timeout == base::Duration::forever()) {
    invoke(job, frame.context());
    return;
  }
  // A scope of its own, so that its time runs out for all that it has spawned, too.
  Scope scope(frame.context(), {.deadline = carrier.deadline - carrier.started,
                                .on_error = OnError::keep_going,
                                .name = options_.name});
  {
    JobFrame inner(scope.core(), options_.name.c_str(), at_, this);
    invoke(job, inner.context());
  }
  if (Result<void> others = scope.wait(); !others && !scope.stopped()) {
    Aftermath after(*this);
    std::lock_guard lock(mutex_);
    note_failure(others.error(), after);
  }
}

void RunCore::timer_fired(Carrier& carrier) {
  std::optional<StuckJob> stuck;
  {
    Aftermath after(*this);
    std::lock_guard lock(mutex_);
    base::Time now = scheduler_.now();
    // It may have been stopped, or started for another job, just when it fired.
    if (carrier.phase != Phase::none && now >= carrier.due) {
      if (carrier.phase == Phase::running) {
        carrier.phase = Phase::none;
        if (!carrier.answered) {
          carrier.answered = true;
          deliver_failed(carrier.number,
                         Error(Errc::timed_out, "its body took longer than job_timeout"), after);
        }
        if (options_.grace != base::Duration::forever())
          arm(carrier, now + options_.grace, Phase::grace);
      } else {
        carrier.phase = Phase::none;
        stuck = StuckJob{
            .pool = options_.name, .number = carrier.number, .running = now - carrier.started};
        if (errors_.size() < errors_kept_max)
          errors_.push_back(
              named(Errc::timed_out, "job " + std::to_string(carrier.number) +
                                         " was asked to stop, and its body does not look"));
      }
    }
    settle(after);
  }
  if (stuck && options_.on_stuck) options_.on_stuck(*stuck);
  core().ended();
}

void RunCore::queue_timer_fired() {
  {
    Aftermath after(*this);
    std::lock_guard lock(mutex_);
    queue_timer_armed_ = false;
    base::Time now = scheduler_.now();
    for (JobList& queue : queues_)
      while (!queue.empty() && queue.front().expires <= now) {
        JobBase& job = queue.pop_front();
        --queued_;
        after.dropped.push_back(job);
        deliver_failed(job.number, Error(Errc::timed_out, "it waited longer than queue_timeout"),
                       after);
      }
    settle(after);
  }
  core().ended();
}

void RunCore::on_stop() {
  Aftermath after(*this);
  std::lock_guard lock(mutex_);
  stopped_ = true;
  Error why = stop_error();
  after.to_wake.refuse_all(dispatchers_, why);
  while (JobBase* job = pick()) {
    after.dropped.push_back(*job);
    deliver_failed(job->number, why, after);
  }
  base::Time now = scheduler_.now();
  for (auto& carrier : carriers_) {
    if (!carrier->busy) continue;
    if (why == Errc::timed_out && !carrier->answered) {
      carrier->answered = true;
      deliver_failed(carrier->number, why, after);
    }
    if (carrier->phase == Phase::grace || options_.grace == base::Duration::forever()) continue;
    if (carrier->phase != Phase::none)
      disarm(*carrier);
    else
      carrier->started = now;
    arm(*carrier, now + options_.grace, Phase::grace);
  }
  settle(after);
}

}  // namespace tram::work
