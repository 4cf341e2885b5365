// For tests of this layer: every promise is kept by threads, few and many, and in a simulation.
#pragma once

#include <doctest/doctest.h>

#include "tram/work/runtime.h"
#include "tram/work/sim.h"
#include "tram/work/testing/test_seeds.h"

namespace tram::work::test {

template <class Test>
void with_threads(Test&& test) {
  for (unsigned workers : {1U, 2U, 3U, 8U}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers});
    test(runtime);
  }
}

template <class Test>
void in_simulation(Test&& test, uint64_t count = 20) {
  for (uint64_t seed : seeds_from_environment(count)) {
    CAPTURE(seed);
    Sim sim(seed);
    Runtime runtime(sim);
    test(runtime);
  }
}

template <class Test>
void everywhere(Test&& test, uint64_t seeds = 20) {
  with_threads(test);
  in_simulation(test, seeds);
}

}  // namespace tram::work::test
