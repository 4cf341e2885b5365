// An hour of retries, tested in no time: the clock of a simulation moves only when all is done.
#include <cstdio>

#include "tram/work/scope.h"
#include "tram/work/sim.h"

using namespace tram::work;
using namespace std::chrono_literals;

Unit<int> poll(int tries, Context c) {
  if (tries == 60) return c.spawn([=] { return tries; });
  return c.spawn_after([=](Context next) { return poll(tries + 1, next); }, c.sleep(1min));
}

int main() {
  Sim sim(42);  // The same seed, the same order of everything.
  Runtime runtime(sim);
  Scope scope(runtime);
  Unit<int> tries = scope.spawn(poll, 0);
  sim.run_until_idle();
  auto minutes = sim.now().nanoseconds() / 60'000'000'000;
  std::printf("%d tries in %d minutes\n", *tries.get(), static_cast<int>(minutes));
}
