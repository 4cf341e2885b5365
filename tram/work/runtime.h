// The only object that owns threads. Everything else in this library runs on one.
//
//   Runtime runtime;                                  // as many workers as processors
//   Runtime runtime({.workers = 2, .blocking_max = 64});
//   Sim sim(seed);  Runtime runtime(sim);             // for tests: see sim.h
//
// Idle, it costs nothing: its threads sleep, and there is no timer that ticks.
//
// Threads: every method may be called from any thread. A Runtime outlives all that was made with
// it; its destructor runs what is still scheduled, then ends the threads.
#pragma once

#include <memory>

#include "tram/base/time.h"

namespace tram::work {

class Scheduler;
class Sim;

class Runtime {
 public:
  struct Options {
    unsigned workers = 0;        // Threads that run work at the same time. 0: one per processor.
    unsigned blocking_max = 64;  // Threads beside them that may block or wait in somebody's code.
    base::Duration spare_idle = std::chrono::seconds(10);  // A thread unused for so long ends.
  };

  Runtime() : Runtime(Options()) {}
  explicit Runtime(Options options);
  explicit Runtime(Sim& sim);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  unsigned workers() const;
  // Threads that exist now, workers and those beside them; 0 in a simulation.
  unsigned threads() const;
  base::Time now() const;
  // Nothing runs, and nothing waits to run: what is left waits for time or for the world outside.
  bool idle() const;

  // For the parts of this library.
  Scheduler& scheduler() { return *scheduler_; }

 private:
  std::unique_ptr<Scheduler> owned_;
  Scheduler* scheduler_;
};

}  // namespace tram::work
