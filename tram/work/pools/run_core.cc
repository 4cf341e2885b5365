#include "tram/work/pools/run_parts.h"

namespace tram::work {

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

void RunCore::deliver_failed(uint64_t number, const Error& error, Aftermath& after) {
  JobBase& job = make_failed(error.in(options_.name, at_));
  job.number = number;
  deliver(job, after);
}

void RunCore::deliver(JobBase& job, Aftermath& after) {
  ++answered_;
  if (const Error* error = error_of(job); error != nullptr) note_failure(*error, after);
  if (dropping_ || !has_results_) {
    after.dropped.push_back(job);
  } else if (!hand_over(job, after)) {
    results_.push_back(job);
  }
}

bool RunCore::hand_over(JobBase& job, Aftermath& after) {
  if (!receivers_.empty()) {
    auto& receiver = static_cast<ReceiveWaiting&>(receivers_.front());
    receiver.job = &job;
    after.to_wake.serve(receivers_, receiver);
    return true;
  }
  if (units_receiving_.empty()) return false;
  auto& receiver = static_cast<ResultWaiting&>(units_receiving_.front());
  receiver.job = &job;
  after.to_wake.serve(units_receiving_, receiver);
  return true;
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
  limit_.observe_queue(waiting, capacity, running_, scheduler_.now());
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
  while (!units_receiving_.empty()) after.to_wake.serve(units_receiving_, units_receiving_.front());
  while (!finishers_.empty()) after.to_wake.serve(finishers_, finishers_.front());
}

}  // namespace tram::work
