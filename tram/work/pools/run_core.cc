#include "tram/work/pools/run_core.h"

#include "tram/base/assert.h"

namespace tram::work {
namespace {

// After so many jobs a carrier lets others have the worker.
constexpr int jobs_per_turn = 64;
constexpr size_t errors_kept_max = 1000;

}  // namespace

// Somebody at work: the job that it has, and its time.
struct RunCore::Carrier : Timer {
  explicit Carrier(RunCore& run)
      : Timer([](Timer& timer) {
          auto& self = static_cast<Carrier&>(timer);
          self.of.timer_fired(self);
        }),
        of(run) {}

  RunCore& of;
  // Guarded by the run's lock.
  bool busy = false;
  bool answered = false;  // The receiver was told that time ran out; what the body gives is late.
  uint64_t number = 0;
  base::Time started;
  unsigned beside = 0;  // Bodies that ran when this one began, it included.
  Phase phase = Phase::none;
  base::Time due = base::Time::never();       // Of the phase.
  base::Time deadline = base::Time::never();  // Of the job.
};

struct RunCore::DispatchWaiting : ThreadWaiting {
  DispatchWaiting(Scheduler& scheduler, JobBase& what, Priority how)
      : ThreadWaiting(scheduler), job(what), priority(how) {}
  JobBase& job;
  const Priority priority;
};

struct RunCore::ReceiveWaiting : ThreadWaiting {
  using ThreadWaiting::ThreadWaiting;
  JobBase* job = nullptr;
};

struct RunCore::QueueTimer : Timer {
  explicit QueueTimer(RunCore& run)
      : Timer([](Timer& timer) { static_cast<QueueTimer&>(timer).of.queue_timer_fired(); }),
        of(run) {}
  RunCore& of;
};

// What is to be done once the lock is free: declared before it is taken.
struct RunCore::Aftermath {
  explicit Aftermath(RunCore& run) : of(run) {}
  ~Aftermath() { flush(); }
  void flush() {
    if (!tasks.empty()) of.scheduler_.schedule(std::move(tasks));
    to_wake.now();
    while (!dropped.empty()) of.destroy(dropped.pop_front());
    if (std::exchange(cancel, false)) of.cancel();
  }
  RunCore& of;
  RunnableList tasks;
  ToWake to_wake;
  JobList dropped;
  bool cancel = false;
};

RunCore::RunCore(Runtime& runtime, const PoolOptions& options, std::stop_token stop,
                 std::source_location at, bool has_results)
    : scheduler_(runtime.scheduler()),
      options_(options),
      at_(at),
      has_results_(has_results),
      crew_([](Crew::Ticket& ticket,
               void* run) { static_cast<RunCore*>(run)->carry(&ticket, Until::nothing_left); },
            this),
      limit_(options.workers, runtime.workers()),
      scope_(runtime, {.deadline = options.timeout,
                       .stop = std::move(stop),
                       .on_error = OnError::keep_going,
                       .name = options.name}) {
  stop_callback_.emplace(scope_.stop(), [this] { on_stop(); });
}

RunCore::~RunCore() = default;

void RunCore::end() {
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
  }
  leave();
  Result<void> finished = finish();
  TRAM_ASSERT(ended_, options_.name, finished.error().text());
}

// ---- Under the lock --------------------------------------------------------------------------

unsigned RunCore::places_taken_by_results() const {
  size_t over = results_.size() > options_.results ? results_.size() - options_.results : 0;
  return static_cast<unsigned>(std::min<size_t>(over, limit_.max()));
}

bool RunCore::has_room() const {
  if (options_.queue == unbounded) return true;
  unsigned taken = running_ + places_taken_by_results();
  return queued_ < options_.queue + (limit_.now() > taken ? limit_.now() - taken : 0);
}

void RunCore::enqueue(JobBase& job, Priority priority) {
  auto level = static_cast<size_t>(priority);
  job.number = dispatched_++;
  job.rank = job.number + level * options_.overtaken_max;
  if (options_.queue_timeout != base::Duration::forever())
    job.expires = scheduler_.now() + options_.queue_timeout;
  queues_[level].push_back(job);
  ++queued_;
}

JobBase* RunCore::pick() {
  JobList* best = nullptr;
  for (JobList& queue : queues_)
    if (!queue.empty() && (best == nullptr || queue.front().rank < best->front().rank))
      best = &queue;
  if (best == nullptr) return nullptr;
  --queued_;
  return &best->pop_front();
}

void RunCore::start_carriers(Aftermath& after) {
  while (!stopping_ && active_ - running_ < queued_ &&
         active_ + places_taken_by_results() < limit_.now())
    call_carrier(after);
}

void RunCore::call_carrier(Aftermath& after) {
  ++active_;
  core().begun();
  crew_.call(after.tasks);
}

RunCore::Carrier& RunCore::take_carrier() {
  if (idle_carriers_.empty()) return *carriers_.emplace_back(std::make_unique<Carrier>(*this));
  Carrier& carrier = *idle_carriers_.back();
  idle_carriers_.pop_back();
  return carrier;
}

void RunCore::begin(Carrier& carrier, JobBase& job) {
  ++running_;
  carrier.busy = true;
  carrier.answered = false;
  carrier.number = job.number;
  carrier.beside = running_;
  bool timed = options_.job_timeout != base::Duration::forever();
  if (timed || limit_.adaptive()) carrier.started = scheduler_.now();
  if (!timed) return;
  carrier.deadline = carrier.started + options_.job_timeout;
  arm(carrier, carrier.deadline, Phase::running);
}

void RunCore::conclude(Carrier& carrier, JobBase& job, Aftermath& after) {
  --running_;
  carrier.busy = false;
  if (carrier.phase != Phase::none) disarm(carrier);
  bool timed = options_.job_timeout != base::Duration::forever();
  base::Time now = timed || limit_.adaptive() ? scheduler_.now() : base::Time();
  bool late = carrier.answered || (timed && now >= carrier.deadline);
  if (limit_.adaptive())
    limit_.add({.latency = now - carrier.started,
                .in_flight = carrier.beside,
                .outcome = late               ? Outcome::timed_out
                           : core().stopped() ? Outcome::cancelled
                                              : Outcome::ok},
               now);
  if (!late) {
    deliver(job, after);
    return;
  }
  ++late_;
  after.dropped.push_back(job);
  if (!carrier.answered)
    deliver_failed(carrier.number, Error(Errc::timed_out, "its body took longer than job_timeout"),
                   after);
}

void RunCore::deliver_failed(uint64_t number, Error error, Aftermath& after) {
  JobBase& job = make_failed(error.in(options_.name, at_));
  job.number = number;
  deliver(job, after);
}

void RunCore::deliver(JobBase& job, Aftermath& after) {
  ++answered_;
  if (const Error* error = error_of(job); error != nullptr) note_failure(*error, after);
  if (dropping_ || !has_results_) {
    after.dropped.push_back(job);
  } else if (!receivers_.empty()) {
    auto& receiver = static_cast<ReceiveWaiting&>(receivers_.front());
    receiver.job = &job;
    after.to_wake.serve(receivers_, receiver);
  } else {
    results_.push_back(job);
  }
}

void RunCore::note_failure(const Error& error, Aftermath& after) {
  // What ended because the run was stopped is no failure of its own.
  if (core().stopped() && error == stop_error().code()) return;
  if (errors_.size() < errors_kept_max)
    errors_.push_back(error);
  else
    ++errors_not_kept_;
  if (options_.on_error == OnError::cancel) stopping_ = after.cancel = true;
}

// The scope counts each time that a timer is started until it has fired or was stopped, so the run
// does not go while one fires.
void RunCore::arm(Carrier& carrier, base::Time at, Phase phase) {
  carrier.phase = phase;
  carrier.due = at;
  core().begun();
  scheduler_.start(carrier, at);
}

void RunCore::disarm(Carrier& carrier) {
  carrier.phase = Phase::none;
  if (scheduler_.stop(carrier)) core().ended();
}

void RunCore::watch_queue() {
  if (options_.queue_timeout == base::Duration::forever()) return;
  if (queued_ == 0) {
    // Left to fire for nothing, unless somebody may wait for the end.
    if (queue_timer_armed_ && (closed_ || stopped_) && scheduler_.stop(*queue_timer_)) {
      queue_timer_armed_ = false;
      core().ended();
    }
    return;
  }
  if (queue_timer_armed_) return;
  base::Time first = base::Time::never();
  for (JobList& queue : queues_)
    if (!queue.empty()) first = std::min(first, queue.front().expires);
  if (queue_timer_ == nullptr) queue_timer_ = std::make_unique<QueueTimer>(*this);
  queue_timer_armed_ = true;
  core().begun();
  scheduler_.start(*queue_timer_, first);
}

void RunCore::watch_fill() {
  if (!limit_.adaptive()) return;
  size_t capacity =
      options_.queue == 0 || options_.queue == unbounded ? 2 * limit_.max() : options_.queue;
  size_t waiting = dispatchers_.empty() ? std::min(queued_, capacity) : capacity;
  limit_.observe_queue(waiting, capacity, scheduler_.now());
}

void RunCore::settle(Aftermath& after) {
  watch_fill();
  while (!dispatchers_.empty() && has_room()) {
    auto& waiting = static_cast<DispatchWaiting&>(dispatchers_.front());
    enqueue(waiting.job, waiting.priority);
    after.to_wake.serve(dispatchers_, waiting);
  }
  start_carriers(after);
  watch_queue();
  if (quiet())
    while (!waiters_.empty()) after.to_wake.serve(waiters_, waiters_.front());
  if (!over()) return;
  while (!receivers_.empty()) after.to_wake.serve(receivers_, receivers_.front());
  while (!finishers_.empty()) after.to_wake.serve(finishers_, finishers_.front());
}

// ---- Carriers and timers ---------------------------------------------------------------------

// Job after job, until there is none for this carrier; of a helper, until what it waits for.
void RunCore::carry(Crew::Ticket* ticket, Until until) {
  core().focus();
  Carrier* carrier = nullptr;
  JobBase* done = nullptr;
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
    if (job == nullptr) {
      core().ended();
      return;
    }
    run_body(*carrier, *job);
    done = job;
  }
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

void RunCore::run_body(Carrier& carrier, JobBase& job) {
  if (options_.blocking) scheduler_.step_aside();
  if (options_.job_timeout == base::Duration::forever()) {
    JobFrame frame(core(), options_.name.c_str(), at_, this);
    invoke(job, frame.context());
    return;
  }
  // A scope of its own, so that its time runs out for all that it has spawned, too.
  JobFrame outer(core(), options_.name.c_str(), at_, this);
  Scope scope(outer.context(), {.deadline = carrier.deadline - carrier.started,
                                .on_error = OnError::keep_going,
                                .name = options_.name});
  {
    JobFrame frame(scope.core(), options_.name.c_str(), at_, this);
    invoke(job, frame.context());
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

// ---- What users call -------------------------------------------------------------------------

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
