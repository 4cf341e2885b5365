// One piece, though long: tokens, places, batches and the stop turn on one lock, and whatever
// changes one of them may let any of the others go on.
#include "tram/work/pipelines/flow_core.h"

#include <algorithm>
#include <bit>

#include "tram/base/assert.h"
#include "tram/work/pools/job_unit.h"

namespace tram::work {
namespace {

// After so many items a carrier lets others have the worker.
constexpr int steps_per_turn = 128;
// How often the pace is looked at, what it is averaged over, and which is fine, or not any more.
constexpr int steps_per_sample = 16;
constexpr int samples_averaged = 8;
constexpr int64_t fine_below_ns = 500;
constexpr int64_t coarse_above_ns = 1000;
constexpr size_t errors_kept_max = 1000;
constexpr size_t stages_max = 64;
constexpr size_t window_max = size_t{1} << 24;

}  // namespace

std::optional<Error> StageBase::process(Token&, const Context&) {
  TRAM_ASSERT(false, "a stage that makes batches is given one item");
  return std::nullopt;
}
void StageBase::process_many(const std::vector<Token*>&, const Context&,
                             std::vector<std::optional<Error>>&) {
  TRAM_ASSERT(false, "a stage that makes no batches is given one");
}

struct FlowCore::BatchTimer : Timer {
  BatchTimer(FlowCore& flow, size_t station)
      : Timer([](Timer& timer) {
          auto& self = static_cast<BatchTimer&>(timer);
          self.of.timer_fired(self);
        }),
        of(flow),
        index(station) {}
  FlowCore& of;
  const size_t index;
  bool armed = false;
};

// A stage at run time.
struct FlowCore::Station {
  Station(StageBase& of, unsigned workers_of_runtime)
      : stage(of), limit(of.setup().options.workers, workers_of_runtime) {
    stats.name = of.name();
  }
  const StageOptions& options() const { return stage.setup().options; }
  size_t free() const { return limit.now() > running ? limit.now() - running : 0; }

  StageBase& stage;
  WorkerLimit limit;
  TokenList queue;       // Can be begun.
  unsigned running = 0;  // Bodies, or calls.
  // Tokens that came this far, the dropped ones included.
  uint64_t entered = 0;
  // Of an ordered stage: those that wait for an earlier one, at their number modulo the size, which
  // is a power of two.
  uint64_t next_number = 0;
  std::vector<Token*> parked;
  Token*& parked_at(uint64_t number) { return parked[number & (parked.size() - 1)]; }
  // Of one that makes batches.
  bool due = false;
  std::unique_ptr<BatchTimer> timer;
  StageStats stats;
};

// What a carrier has in its hands.
struct FlowCore::Work {
  enum class Kind { none, pull, one, batch };
  Kind kind = Kind::none;
  size_t index = 0;  // Of the station.
  Token* token = nullptr;
  std::vector<Token*> tokens;
  base::Time started;
  unsigned beside = 0;
  bool end = false;  // Of the source.
  std::optional<Error> failure;
  std::vector<std::optional<Error>> failures;
};

struct FlowCore::Aftermath {
  explicit Aftermath(FlowCore& flow) : of(flow) {}
  ~Aftermath() {
    if (!tasks.empty()) {
      of.scheduler_.schedule(std::move(tasks));
      // The first thing a worker schedules is kept quiet, and what is carried now may take long.
      of.scheduler_.announce();
    }
    if (!kept.empty()) of.scheduler_.schedule_next(kept.pop_front());
    if (cancel) of.scope_.cancel();
    to_wake.now();
  }
  FlowCore& of;
  RunnableList tasks;
  RunnableList kept;  // By this worker: one at most.
  ToWake to_wake;
  bool cancel = false;
};

// ---- Setting up ------------------------------------------------------------------------------

Result<void> FlowCore::check(const PipelineOptions& options,
                             const std::vector<std::unique_ptr<StageBase>>& stages) {
  auto wrong = [&](std::string what) {
    return failure(Errc::invalid_argument, "pipeline '" + options.name + "': " + std::move(what));
  };
  if (options.window == 0 || options.window > window_max)
    return wrong("window: from 1 to " + std::to_string(window_max));
  if (options.timeout <= base::Duration()) return wrong("timeout: above 0");
  if (stages.size() > stages_max)
    return wrong("stages: at most " + std::to_string(stages_max) + ", its end included");
  for (const auto& stage : stages) {
    const StageBase::Setup& setup = stage->setup();
    if (std::optional<std::string> workers = WorkerLimit::wrong_with(setup.options.workers))
      return wrong("stage '" + setup.name + "': " + *workers);
    if (setup.takes_batches && setup.batch_max == 0)
      return wrong("stage '" + setup.name + "': max_items: at least 1");
    if (setup.max_wait < base::Duration())
      return wrong("stage '" + setup.name + "': max_wait: not below 0");
  }
  return {};
}

FlowCore::FlowCore(Runtime& runtime, const PipelineOptions& options, SourceBase& source,
                   std::vector<std::unique_ptr<StageBase>>& stages, size_t item_size,
                   std::source_location at)
    : scheduler_(runtime.scheduler()),
      options_(options),
      at_(at),
      source_(source),
      item_size_(item_size),
      crew_([](Crew::Ticket& ticket, void* flow) { static_cast<FlowCore*>(flow)->carry(&ticket); },
            this),
      scope_(runtime, {.deadline = options.timeout,
                       .stop = options.stop,
                       .on_error = OnError::keep_going,
                       .name = options.name}) {
  for (size_t i = 0; i < stages.size(); ++i) {
    Station& station =
        *stations_.emplace_back(std::make_unique<Station>(*stages[i], runtime.workers()));
    active_max_ += station.limit.max();
    adaptive_ |= station.limit.adaptive();
    // A body that may block cannot be waited for by others, however short it was before.
    can_be_fine_ &= !station.limit.adaptive() && !station.options().blocking;
    if (station.options().ordered) {
      ordered_until_ = i + 1;
      station.parked.resize(std::bit_ceil(options_.window));
    }
    if (station.stage.makes_batches()) station.timer = std::make_unique<BatchTimer>(*this, i);
  }
  stop_callback_.emplace(scope_.stop(), [this] { on_stop(); });
}

FlowCore::~FlowCore() {
  auto free_all = [](TokenList& tokens) {
    while (!tokens.empty()) Token::free(tokens.pop_front());
  };
  free_all(spare_);
  for (auto& station : stations_) {
    free_all(station->queue);
    for (Token* token : station->parked)
      if (token != nullptr) Token::free(*token);
  }
}

// ---- Under the lock: who may begin -----------------------------------------------------------

// Whether what this stage's predecessor begins will find room, when `arriving` are on their way.
bool FlowCore::room_before(size_t index, size_t arriving) const {
  if (index == stations_.size()) return true;
  const Station& station = *stations_[index];
  size_t free = station.free();
  if (station.stage.makes_batches())
    return station.queue.size() + arriving < station.stage.setup().batch_max * (1 + free);
  if (station.options().queue == unbounded) return true;
  return station.queue.size() + arriving < station.options().queue + free;
}

bool FlowCore::can_pull() const {
  return !source_busy_ && !source_done_ && in_flight_ < options_.window && room_before(0, 0);
}

bool FlowCore::batch_is_ready(size_t index) const {
  const Station& station = *stations_[index];
  if (station.queue.size() >= station.stage.setup().batch_max || station.due) return true;
  // Nothing that is still to come here is under way, and nothing more will be.
  return station.entered == pulled_ && !source_busy_ &&
         (source_done_ || in_flight_ >= options_.window);
}

bool FlowCore::can_begin(size_t index) const {
  const Station& station = *stations_[index];
  if (station.queue.empty() || station.free() == 0) return false;
  if (station.stage.makes_batches()) return batch_is_ready(index) && room_before(index + 1, 0);
  return room_before(index + 1, station.running);
}

bool FlowCore::choose(Work& work) {
  work.kind = Work::Kind::none;
  if (stopping_) return false;
  for (uint64_t left = waited_for_; left != 0;) {
    size_t last = static_cast<size_t>(std::bit_width(left)) - 1;
    if (can_begin(last)) {
      begin(last, work);
      return true;
    }
    left &= ~(uint64_t{1} << last);
  }
  if (!can_pull()) return false;
  work.kind = Work::Kind::pull;
  source_busy_ = true;
  work.token = spare_.empty() ? nullptr : &spare_.pop_front();
  return true;
}

void FlowCore::begin(size_t index, Work& work) {
  Station& station = *stations_[index];
  work.index = index;
  work.beside = ++station.running;
  station.stats.running_max = std::max(station.stats.running_max, station.running);
  if (station.limit.adaptive()) work.started = scheduler_.now();
  if (!station.stage.makes_batches()) {
    work.kind = Work::Kind::one;
    work.token = &station.queue.pop_front();
    if (station.queue.empty()) waited_for_ &= ~(uint64_t{1} << index);
    ++station.stats.items;
    return;
  }
  work.kind = Work::Kind::batch;
  work.tokens.clear();
  while (!station.queue.empty() && work.tokens.size() < station.stage.setup().batch_max)
    work.tokens.push_back(&station.queue.pop_front());
  if (station.queue.empty()) waited_for_ &= ~(uint64_t{1} << index);
  station.stats.items += work.tokens.size();
  ++station.stats.batches;
  station.due = false;
  watch(station);
}

// How much could be begun at this moment.
size_t FlowCore::startable() const {
  if (stopping_) return 0;
  size_t count = can_pull() ? 1 : 0;
  for (uint64_t left = waited_for_; left != 0; left &= left - 1) {
    auto index = static_cast<size_t>(std::countr_zero(left));
    if (!can_begin(index)) continue;
    const Station& station = *stations_[index];
    count += station.stage.makes_batches() ? 1 : std::min(station.queue.size(), station.free());
  }
  return count;
}

// A fine pipeline's carriers are those who are there, with one kept by one of them.
void FlowCore::call_carriers(Aftermath& after, const Work* carried) {
  if (fine_ && carried != nullptr) {
    if (kept_by_ != nullptr) return;
    if (carried->kind != Work::Kind::none) {
      if (active_ == active_max_ || startable() == 0) return;
      ++active_;
      core().begun();
      crew_.call(after.kept);
      if (after.kept.empty()) return;  // One that is on its way already.
      kept_ = static_cast<const Crew::Ticket*>(&after.kept.front());
      kept_by_ = carried;
      return;
    }
  }
  size_t called = active_ - busy_ - (kept_ != nullptr ? 1 : 0);
  for (size_t want = startable(); called < want && active_ < active_max_; ++called) {
    ++active_;
    core().begun();
    crew_.call(after.tasks);
  }
}

// nullptr: of one that somebody took over, whichever that was.
void FlowCore::note_arrival(Crew::Ticket* ticket) {
  if (ticket == nullptr || ticket == kept_) {
    kept_ = nullptr;
    kept_by_ = nullptr;
  }
  if (ticket != nullptr) crew_.arrived(*ticket);
}

void FlowCore::note_pace(base::Duration of_steps) {
  int64_t step_ns = of_steps.nanoseconds() / steps_per_sample;
  if (!can_be_fine_ || step_ns == 0) return;  // A simulated clock stands still.
  pace_ns_ = pace_ns_ == 0 ? step_ns : pace_ns_ + (step_ns - pace_ns_) / samples_averaged;
  fine_ = pace_ns_ < (fine_ ? coarse_above_ns : fine_below_ns);
}

void FlowCore::settle(Aftermath& after, const Work* carried) {
  if (adaptive_)
    for (auto& station : stations_)
      if (station->limit.adaptive()) {
        size_t capacity = station->options().queue == 0 || station->options().queue == unbounded
                              ? 2 * station->limit.max()
                              : station->options().queue;
        station->limit.observe_queue(std::min(station->queue.size(), capacity), capacity,
                                     station->running, scheduler_.now());
      }
  call_carriers(after, carried);
  if (!over()) return;
  for (auto& station : stations_)
    if (station->timer != nullptr && station->timer->armed && scheduler_.stop(*station->timer)) {
      station->timer->armed = false;
      core().ended();
    }
  while (!finishers_.empty()) after.to_wake.serve(finishers_, finishers_.front());
}

// ---- Under the lock: where it goes -----------------------------------------------------------

void FlowCore::retire(Token& token) {
  --in_flight_;
  token.clear();
  spare_.push_back(token);
}

void FlowCore::queue_up(Token& token, size_t index) {
  if (token.dropped) {
    enter(token, index + 1);
    return;
  }
  Station& station = *stations_[index];
  station.queue.push_back(token);
  waited_for_ |= uint64_t{1} << index;
  station.stats.queue_max = std::max(station.stats.queue_max, station.queue.size());
  if (!station.stage.makes_batches()) return;
  token.arrived = scheduler_.now();
  watch(station);
}

void FlowCore::enter(Token& token, size_t index) {
  // Nobody needs to see that a dropped one is not missing, but those who count.
  if (index == stations_.size() || (token.dropped && index >= ordered_until_)) {
    for (size_t i = index; i < stations_.size(); ++i) ++stations_[i]->entered;
    retire(token);
    return;
  }
  Station& station = *stations_[index];
  ++station.entered;
  if (!station.options().ordered) {
    queue_up(token, index);
    return;
  }
  if (token.number != station.next_number) {
    // At most `window` are under way, and none of them is past this stage before its turn.
    Token*& place = station.parked_at(token.number);
    TRAM_ASSERT(place == nullptr);
    place = &token;
    return;
  }
  for (Token* next = &token; next != nullptr;) {
    ++station.next_number;
    queue_up(*next, index);
    next = std::exchange(station.parked_at(station.next_number), nullptr);
  }
}

void FlowCore::fail(Error error, Aftermath& after) {
  // What ended because the pipeline was stopped is no failure of its own.
  bool of_the_stop = core().stopped() && error == core().stop_error().code();
  if (!of_the_stop && errors_.size() < errors_kept_max) errors_.push_back(std::move(error));
  stopping_ = after.cancel = true;
}

void FlowCore::conclude(Work& work, Aftermath& after) {
  if (work.kind == Work::Kind::pull) {
    source_busy_ = false;
    if (work.failure) fail(std::move(*work.failure), after);
    if (work.end || work.failure) {
      source_done_ = true;
      if (work.token != nullptr) spare_.push_back(*work.token);
      return;
    }
    ++in_flight_;
    in_flight_max_ = std::max(in_flight_max_, in_flight_);
    work.token->number = pulled_++;
    work.token->dropped = false;
    enter(*work.token, 0);
    return;
  }
  Station& station = *stations_[work.index];
  --station.running;
  if (station.limit.adaptive())
    station.limit.add({.latency = scheduler_.now() - work.started, .in_flight = work.beside},
                      scheduler_.now());
  auto move_on = [&](Token& token, std::optional<Error>& failure) {
    if (failure) {
      ++station.stats.failed;
      if (station.options().on_error.stops()) fail(std::move(*failure), after);
      token.dropped = true;
      token.clear();
    } else if (token.dropped) {
      ++station.stats.dropped;
    }
    enter(token, work.index + 1);
  };
  if (work.kind == Work::Kind::one) {
    move_on(*work.token, work.failure);
    return;
  }
  for (size_t i = 0; i < work.tokens.size(); ++i) move_on(*work.tokens[i], work.failures[i]);
}

// The timer of a batch is left to run when its batch has gone, and looks again when it fires.
void FlowCore::watch(Station& station) {
  const base::Duration max_wait = station.stage.setup().max_wait;
  if (station.queue.empty() || station.timer->armed || max_wait == base::Duration::forever() ||
      stopping_)
    return;
  station.timer->armed = true;
  core().begun();
  scheduler_.start(*station.timer, station.queue.front().arrived + max_wait);
}

// ---- Carriers and timers ---------------------------------------------------------------------

void FlowCore::perform(Work& work, const Context& context) {
  work.failure.reset();
  if (work.kind == Work::Kind::pull) {
    if (work.token == nullptr) work.token = &Token::make(item_size_);
    Result<bool> pulled = source_.pull(*work.token, context);
    work.end = pulled.has_value() && !*pulled;
    if (!pulled) work.failure = pulled.error().in("source of " + options_.name, at_);
    return;
  }
  Station& station = *stations_[work.index];
  const StageBase::Setup& setup = station.stage.setup();
  if (setup.options.blocking) scheduler_.step_aside();
  auto judge = [&](const Token& token, std::optional<Error>& failure) {
    if (!failure) return;
    failure = failure->in(setup.name, setup.at);
    if (setup.options.on_error.stops()) return;
    try {
      setup.options.on_error.tell({.number = token.number, .stage = setup.name, .error = *failure});
    } catch (...) {
      Error thrown = Error::from_exception(std::current_exception())
                         .in("dead letters of " + setup.name, setup.at);
      Aftermath after(*this);
      std::lock_guard lock(mutex_);
      fail(std::move(thrown), after);
    }
  };
  if (work.kind == Work::Kind::one) {
    work.failure = station.stage.process(*work.token, context);
    judge(*work.token, work.failure);
    return;
  }
  work.failures.assign(work.tokens.size(), std::nullopt);
  station.stage.process_many(work.tokens, context, work.failures);
  for (size_t i = 0; i < work.tokens.size(); ++i) judge(*work.tokens[i], work.failures[i]);
}

void FlowCore::carry(Crew::Ticket* ticket) {
  core().focus();
  {
    JobFrame frame(core(), options_.name.c_str(), at_, this);
    Work work;
    bool just_arrived = true;
    base::Time sample_began = scheduler_.now();
    for (int left = steps_per_turn;; --left) {
      base::Duration of_sample;
      if (left % steps_per_sample == 0 && left < steps_per_turn) {
        base::Time now = scheduler_.now();
        of_sample = now - std::exchange(sample_began, now);
      }
      {
        Aftermath after(*this);
        std::lock_guard lock(mutex_);
        if (std::exchange(just_arrived, false)) note_arrival(ticket);
        if (work.kind != Work::Kind::none) {
          --busy_;
          conclude(work, after);
        }
        note_pace(of_sample);
        const bool enough = fine_ && kept_by_ != nullptr && kept_by_ != &work;
        if (left > 0 && !enough && choose(work))
          ++busy_;
        else
          work.kind = Work::Kind::none;
        if (work.kind == Work::Kind::none) --active_;
        settle(after, &work);
        if (work.kind == Work::Kind::none && kept_by_ == &work) kept_by_ = nullptr;
      }
      if (work.kind == Work::Kind::none) break;
      perform(work, frame.context());
    }
  }
  core().ended();
}

void FlowCore::timer_fired(BatchTimer& timer) {
  {
    Aftermath after(*this);
    std::lock_guard lock(mutex_);
    timer.armed = false;
    Station& station = *stations_[timer.index];
    if (!station.queue.empty() &&
        station.queue.front().arrived + station.stage.setup().max_wait <= scheduler_.now())
      station.due = true;
    else
      watch(station);
    settle(after);
  }
  core().ended();
}

void FlowCore::on_stop() {
  Aftermath after(*this);
  std::lock_guard lock(mutex_);
  stopping_ = true;
  settle(after);
}

// ---- What users call -------------------------------------------------------------------------

Result<void> FlowCore::wait_until_over() {
  std::unique_lock lock(mutex_);
  // A worker does the work itself, as far as nobody else has come for it.
  while (!over() && scheduler_.on_worker() && crew_.take_over()) {
    lock.unlock();
    scheduler_.announce();
    carry(nullptr);
    scheduler_.announce();
    lock.lock();
  }
  if (over()) return {};
  ThreadWaiting waiting(scheduler_);
  if (std::optional<Error> refused = waiting.wait(lock, finishers_, {}))
    return std::unexpected(std::move(*refused));
  return {};
}

Result<void> FlowCore::run() {
  {
    Aftermath after(*this);
    std::lock_guard lock(mutex_);
    stopping_ = stopping_ || core().stopped();
    settle(after);
  }
  if (Result<void> waited = wait_until_over(); !waited) {
    // What waits for ever may end when it is told to stop.
    {
      Aftermath after(*this);
      std::lock_guard lock(mutex_);
      fail(waited.error().in(options_.name, at_), after);
    }
    TRAM_ASSERT(wait_until_over().has_value(), options_.name,
                "a pipeline ends with bodies that wait for what can never be");
  }
  Result<void> units = scope_.wait();
  std::lock_guard lock(mutex_);
  bool only_stopped = !units && core().stopped() && units.error() == core().stop_error().code();
  if (!units && !only_stopped)
    for (const Error& error : units.error().all()) errors_.push_back(error);
  if (errors_.empty()) {
    if (core().stopped()) return std::unexpected(core().stop_error().in(options_.name, at_));
    return {};
  }
  if (errors_.size() == 1) return std::unexpected(errors_.front());
  return std::unexpected(
      errors_.front().with(std::vector<Error>(errors_.begin() + 1, errors_.end())));
}

PipelineStats FlowCore::stats() const {
  std::lock_guard lock(mutex_);
  PipelineStats stats{.items = pulled_, .in_flight_max = in_flight_max_, .stages = {}};
  for (const auto& station : stations_) stats.stages.push_back(station->stats);
  return stats;
}

}  // namespace tram::work
