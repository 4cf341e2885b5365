// A pipeline that runs, without its types: who may begin, what is handed on to whom.
//
//   source ──► [queue] stage 0 ──► [queue] stage 1 ──► ... ──► the last one; the item is gone
//     one at a time, while fewer than `window` are under way
//
// A carrier takes an item, runs one stage's body for it, and puts it into the queue before the
// next; then takes what is furthest down that can be begun: mostly the same item, which is still in
// its cache. Only if nothing else can be begun it asks the source. No thread waits in there: a
// stage that may not begin anything has no carrier.
//
// A body is begun only if there is room for its item before the next stage. So an item never waits
// with its place occupied, and the last stage can always go on: nothing can wait in a circle. An
// ordered stage takes every item in, since the one that all others wait for may be last to come; of
// those, only what is its turn counts as waiting for it.
//
// Where bodies are shorter than what it takes to bring an item to another processor, a second
// carrier only takes the lock away from the first. So carriers measure the pace of steps:
//
//   coarse: a carrier is called, and a worker woken, for whatever can be begun; so at the beginning
//   fine:   one carrier is enough. The next one is called, but to the first one's own worker, which
//           keeps it (Scheduler::schedule_next) until the first is done, or waits in a body
//
// Threads: any. One lock, held for a few instructions; nobody's code runs under it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tram/work/pipelines/stage.h"
#include "tram/work/pools/crew.h"

namespace tram::work {

class FlowCore {
 public:
  // Errors: Errc::invalid_argument, naming the option that cannot be.
  static Result<void> check(const PipelineOptions& options,
                            const std::vector<std::unique_ptr<StageBase>>& stages);

  // After check().
  FlowCore(Runtime& runtime, const PipelineOptions& options, SourceBase& source,
           std::vector<std::unique_ptr<StageBase>>& stages, size_t item_size,
           std::source_location at);
  ~FlowCore();
  FlowCore(const FlowCore&) = delete;
  FlowCore& operator=(const FlowCore&) = delete;

  // Until all is over. Once.
  Result<void> run();
  PipelineStats stats() const;

 private:
  struct Station;
  struct BatchTimer;
  struct Work;
  struct Aftermath;

  Result<void> wait_until_over();
  void carry(Crew::Ticket* ticket);
  // Without the lock.
  void perform(Work& work, const Context& context);
  void on_stop();
  void timer_fired(BatchTimer& timer);

  // Under the lock.
  bool choose(Work& work);
  bool can_pull() const;
  bool can_begin(size_t index) const;
  bool room_before(size_t index, size_t arriving) const;
  bool batch_is_ready(size_t index) const;
  void begin(size_t index, Work& work);
  void conclude(Work& work, Aftermath& after);
  // On its way to this stage, or, beyond the last, at its end.
  void enter(Token& token, size_t index);
  void queue_up(Token& token, size_t index);
  void retire(Token& token);
  void fail(Error error, Aftermath& after);
  void watch(Station& station);
  size_t startable() const;
  void settle(Aftermath& after, const Work* carried = nullptr);
  void call_carriers(Aftermath& after, const Work* carried);
  void note_arrival(Crew::Ticket* ticket);
  void note_pace(base::Duration of_steps);
  bool over() const { return active_ == 0 && (stopping_ || (source_done_ && in_flight_ == 0)); }
  ScopeCore& core() const { return scope_.core(); }

  Scheduler& scheduler_;
  const PipelineOptions options_;
  const std::source_location at_;
  SourceBase& source_;
  const size_t item_size_;
  size_t ordered_until_ = 0;  // One beyond the last ordered stage.
  bool adaptive_ = false;
  bool can_be_fine_ = true;

  mutable ShortMutex mutex_;
  // Guarded by mutex_.
  std::vector<std::unique_ptr<Station>> stations_;
  uint64_t waited_for_ = 0;  // A bit for each station whose queue is not empty.
  Line finishers_;
  Crew crew_;
  TokenList spare_;
  size_t active_max_ = 1;
  size_t active_ = 0;    // Carriers called or at work.
  size_t busy_ = 0;      // Of those, with work in their hands.
  int64_t pace_ns_ = 0;  // What a step takes lately; 0: not known yet.
  bool fine_ = false;
  // A carrier that was called and that somebody's worker keeps.
  const Crew::Ticket* kept_ = nullptr;
  const Work* kept_by_ = nullptr;
  size_t in_flight_ = 0;
  size_t in_flight_max_ = 0;
  uint64_t pulled_ = 0;
  bool source_busy_ = false;
  bool source_done_ = false;
  bool stopping_ = false;
  std::vector<Error> errors_;

  Scope scope_;  // After all that its units and timers use.
  std::optional<std::stop_callback<std::function<void()>>> stop_callback_;
};

}  // namespace tram::work
