// One run of a pool, without its types: who may be dispatched, who runs, who is answered.
//
//                 ┌ high   ┐   carriers, as many as       ┌ window ┐
//   dispatch ────►│ normal │──► there are free places ───►│ results│──► receive
//     waits for   └ low    ┘   run the bodies             └────────┘
//     room in the queue        a result that finds no room in the window keeps its place occupied,
//                              so a slow receiver slows the workers, and those the dispatchers
//
// No thread waits in there: a carrier is a task of the scheduler's that takes job after job, and is
// gone when there is none, or no place. A worker that waits for the run takes over a carrier that
// was called and has not come yet (crew.h). Each accepted job is answered exactly once.
//
// Threads: any. One lock, held for a few instructions; nobody's code runs under it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tram/work/pools/crew.h"
#include "tram/work/pools/job_unit.h"
#include "tram/work/pools/pool_options.h"

namespace tram::work {

struct JobBase {
  JobBase* next = nullptr;
  uint64_t number = 0;  // In the order of dispatching, from 0.
  uint64_t rank = 0;    // Lower ones are run first.
  base::Time expires = base::Time::never();
};

using JobList = Chain<JobBase>;

// Who waits for a result without a thread. Woken with a job that is then its own, or with none, as
// there is nothing left to come.
struct ResultWaiting : Waiting {
  using Waiting::Waiting;
  JobBase* job = nullptr;
};

class RunCore {
 public:
  RunCore(Runtime& runtime, const PoolOptions& options, std::stop_token stop,
          std::source_location at, bool has_results);
  RunCore(const RunCore&) = delete;
  RunCore& operator=(const RunCore&) = delete;

  // Takes the job over, unless it fails.
  Result<void> dispatch(JobBase& job, const DispatchOptions& how, bool may_wait);
  // The next result, which is then the caller's; nullptr at the end. Errors: deadlock.
  Result<JobBase*> receive(const Patience& patience);
  // The same for one who waits without a thread.
  void receive(ResultWaiting& waiting);
  // By one who does not want it any more: it is somebody else's.
  void give_back(JobBase& job);
  void close();
  void cancel() { scope_.cancel(); }
  // The receiver takes nothing more.
  void leave();
  void feed_begins();
  void feed_ends();

  void add(uint64_t count);
  void done();
  Result<void> wait();
  Result<void> finish();
  std::optional<Error> error() const;
  void set_error(Error error);

  const Scope& scope() const { return scope_; }
  const PoolOptions& options() const { return options_; }
  std::source_location at() const { return at_; }
  Error stop_error() const { return scope_.core().stop_error(); }
  RunStats stats() const;

 protected:
  // To be called first by the destructor of what derives from it.
  void end();
  virtual ~RunCore();

  // Runs the body, and keeps in `job` what it gives, or what it threw.
  virtual void invoke(JobBase& job, Context context) = 0;
  // A job that has failed already.
  virtual JobBase& make_failed(Error error) = 0;
  virtual const Error* error_of(const JobBase& job) const = 0;
  virtual void destroy(JobBase& job) = 0;

 private:
  static constexpr size_t errors_kept_max = 1000;
  struct Carrier;
  struct DispatchWaiting;
  struct ReceiveWaiting;
  struct QueueTimer;
  struct Aftermath;
  enum class Phase { none, running, grace };
  // What a worker that helps waits for.
  enum class Until { nothing_left, room, result, quiet, over };

  void carry(Crew::Ticket* ticket, Until until);
  // What waits is done by this thread meanwhile, if it is a worker. True if what it waits for is
  // there: otherwise it has to wait. With the lock, which it lets go of.
  bool help(std::unique_lock<ShortMutex>& lock, Until until);
  void run_body(Carrier& carrier, JobBase& job, const JobFrame& frame);
  void timer_fired(Carrier& carrier);
  void queue_timer_fired();
  void on_stop();

  // Under the lock.
  unsigned places_taken_by_results() const;
  bool has_room() const;
  bool inside() const { return JobUnit::running() != nullptr && JobUnit::running()->of() == this; }
  void enqueue(JobBase& job, Priority priority);
  JobBase* pick();
  bool reached(Until until) const;
  bool quiet() const { return queued_ == 0 && running_ == 0 && (added_ == 0 || stopped_); }
  // Of a body: nobody would be left who could end its wait.
  bool all_would_wait_inside() const {
    return waiting_inside_ + 1 >= running_ && running_ >= limit_.now();
  }
  void close_if_fed(Aftermath& after);
  void start_carriers(Aftermath& after);
  void call_carrier(Aftermath& after);
  Carrier& take_carrier();
  void begin(Carrier& carrier, JobBase& job);
  void conclude(Carrier& carrier, JobBase& job, Aftermath& after);
  void deliver(JobBase& job, Aftermath& after);
  // To the first who waits; false if nobody does.
  bool hand_over(JobBase& job, Aftermath& after);
  void deliver_failed(uint64_t number, const Error& error, Aftermath& after);
  void note_failure(const Error& error, Aftermath& after);
  void arm(Carrier& carrier, base::Time at, Phase phase);
  void disarm(Carrier& carrier);
  void watch_queue();
  void watch_fill();
  // Whatever can go on after something has changed: dispatchers, carriers, those who wait.
  void settle(Aftermath& after);
  bool over() const { return (closed_ || stopped_) && queued_ == 0 && active_ == 0; }
  Error named(Errc code, std::string detail) const {
    return Error(code, std::move(detail)).in(options_.name, at_);
  }
  ScopeCore& core() const { return scope_.core(); }

  Scheduler& scheduler_;
  const PoolOptions options_;
  const std::source_location at_;
  const bool has_results_;

  mutable ShortMutex mutex_;
  // Guarded by mutex_.
  JobList queues_[priorities];
  JobList results_;
  Line dispatchers_, receivers_, units_receiving_, waiters_, finishers_;
  Crew crew_;
  std::vector<std::unique_ptr<Carrier>> carriers_;
  std::vector<Carrier*> idle_carriers_;
  WorkerLimit limit_;
  size_t queued_ = 0;
  unsigned active_ = 0;          // Carriers at work.
  unsigned running_ = 0;         // Bodies.
  unsigned waiting_inside_ = 0;  // Bodies that wait for room in this very queue.
  uint64_t dispatched_ = 0;
  uint64_t added_ = 0;
  unsigned feeds_ = 0;
  bool fed_ = false;
  bool received_ = false;  // Somebody has asked for a result, or for the end.
  bool closed_ = false;
  bool stopping_ = false;  // By a failure, as soon as the lock is free: no body begins any more.
  bool stopped_ = false;
  bool dropping_ = false;  // Nobody will receive any more.
  bool ended_ = false;
  std::vector<Error> errors_;  // Of more than errors_kept_max, the first.
  uint64_t errors_not_kept_ = 0;
  uint64_t answered_ = 0;
  uint64_t late_ = 0;
  std::unique_ptr<QueueTimer> queue_timer_;
  bool queue_timer_armed_ = false;

  Scope scope_;  // After all that its units and timers use.
  std::optional<std::stop_callback<std::function<void()>>> stop_callback_;
};

}  // namespace tram::work
