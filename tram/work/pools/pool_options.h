// How a pool is set up, and how it is doing.
#pragma once

#include <functional>
#include <string>

#include "tram/work/pools/worker_limit.h"
#include "tram/work/queues/line.h"
#include "tram/work/scope.h"

namespace tram::work {

enum class Priority : uint8_t { high, normal, low };
inline constexpr size_t priorities = 3;

// A body that was asked to stop and has not returned.
struct StuckJob {
  std::string_view pool;
  uint64_t number;         // In the order of dispatching, from 0.
  base::Duration running;  // For so long.
};

struct PoolOptions {
  // Bodies that run at the same time: a number, 0 for as many as the runtime has workers, or
  // Adaptive{}. More than the runtime's workers help if bodies wait, or with `blocking`.
  Workers workers = 0;
  // Jobs that wait, besides those that run. 0: a job is accepted when a worker is free for it.
  size_t queue = 64;
  // Results that wait for the receiver. One that finds no room keeps its worker's place.
  size_t results = 64;
  base::Duration job_timeout = base::Duration::forever();    // From when its body starts.
  base::Duration queue_timeout = base::Duration::forever();  // Until then; also in dispatch().
  base::Duration timeout = base::Duration::forever();        // Of a whole run.
  // How long after being asked to stop a body may go on before it is reported.
  base::Duration grace = std::chrono::seconds(10);
  // Called for such a one, on the thread that keeps time: short, and not waiting.
  std::function<void(const StuckJob&)> on_stuck = {};
  // A waiting job is overtaken by at most so many later ones of the next higher priority, and by
  // twice as many of the one above that.
  uint64_t overtaken_max = 64;
  // Bodies may block: each runs on a thread that is no worker meanwhile.
  bool blocking = false;
  // By default a failure is the result of its job, and no more. `cancel`: the first one stops the
  // run.
  OnError on_error = OnError::keep_going;
  std::string name = "pool";
};

// Errors: Errc::invalid_argument, naming the option that cannot be.
Result<void> check(const PoolOptions& options);

struct DispatchOptions {
  Priority priority = Priority::normal;
  base::Time deadline = base::Time::never();  // Until when to wait for room.
  std::stop_token stop = {};                  // Ends such a wait too.
};

// At one moment.
struct RunStats {
  uint64_t dispatched = 0;
  uint64_t answered = 0;
  uint64_t late = 0;  // Values dropped, since they came after their time-out.
  size_t queued = 0;
  unsigned running = 0;
  unsigned workers = 0;  // What may run at once, at the moment.
  size_t results = 0;    // That wait for the receiver.
};

}  // namespace tram::work
