// A simulated world for tests of what uses this library: a Runtime made from a Sim runs while
// somebody waits for it, its clock moves only when nothing is left to run, and the order in
// which things run is drawn from the seed. The same seed gives the same run; an hour of time-outs
// takes milliseconds.
//
//   Sim sim(seed);
//   Runtime runtime(sim);
//   ... spawn, dispatch, batch as in the program ...
//   sim.run_until_idle();
//
// Bodies run one after the other, each as a whole up to where it waits; what is simulated is their
// order, not two of them at once. While a body waits in get(), others run.
//
// Threads: one at a time. The simulation may run bodies on threads of its own, handing over from
// one to the next where a body waits, so what they share needs no lock.
#pragma once

#include <cstdint>
#include <memory>

#include "tram/base/time.h"

namespace tram::work {

class SimScheduler;

class Sim {
 public:
  // `workers` is what a Runtime says it has, for those who size themselves by it.
  explicit Sim(uint64_t seed, unsigned workers = 2);
  ~Sim();
  Sim(const Sim&) = delete;
  Sim& operator=(const Sim&) = delete;

  uint64_t seed() const { return seed_; }
  base::Time now() const;
  // Runs all there is to run, and winds the clock from timer to timer, until nothing is left.
  void run_until_idle();
  // The same for so much simulated time, and not longer.
  void run_for(base::Duration duration);
  // One task, or one move of the clock. False if there was nothing to do.
  bool step();
  // Choices made so far: the same for the same seed, so a test can hold two runs against each
  // other.
  uint64_t steps() const;

  SimScheduler& scheduler() { return *scheduler_; }

 private:
  uint64_t seed_;
  std::unique_ptr<SimScheduler> scheduler_;
};

}  // namespace tram::work
