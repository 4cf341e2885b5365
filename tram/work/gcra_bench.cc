// What a rate limiter costs, alone and with eight threads on one of a million a second.
#include <atomic>
#include <benchmark/benchmark.h>

#include "tram/base/system_clock.h"
#include "tram/work/gcra.h"

using tram::base::SystemClock;
using tram::base::Time;
using tram::work::Gcra;

namespace {

// The floor: what any word that all threads write costs here.
void one_shared_word(benchmark::State& state) {
  static std::atomic<uint64_t> word;
  for (auto _ : state) benchmark::DoNotOptimize(word.fetch_add(1, std::memory_order_relaxed));
}
BENCHMARK(one_shared_word)->Threads(1)->Threads(8)->UseRealTime();

// Every call is admitted: the rate is a token per nanosecond and the burst is for ever.
void admitted(benchmark::State& state, uint64_t rate) {
  static Gcra even = *Gcra::make({.rate = 1'000'000'000, .burst = uint64_t{1} << 62});
  static Gcra odd = *Gcra::make({.rate = 333'333'337, .burst = uint64_t{1} << 60});
  Gcra& limit = rate == 1 ? even : odd;
  uint64_t count = 0;
  const Time now = SystemClock().now();
  for (auto _ : state) count += limit.try_acquire(1, now);
  state.counters["admitted"] =
      benchmark::Counter(static_cast<double>(count), benchmark::Counter::kAvgIterations);
}
BENCHMARK_CAPTURE(admitted, divides, 1)->Threads(1)->Threads(8)->UseRealTime();
BENCHMARK_CAPTURE(admitted, does_not_divide, 3)->Threads(1)->Threads(8)->UseRealTime();

// Row 24: 1 M/s for all threads together, each asking as fast as it can with the real clock.
void million_a_second(benchmark::State& state) {
  static Gcra limit = *Gcra::make({.rate = 1'000'000, .burst = 1'000});
  SystemClock clock;
  uint64_t count = 0;
  for (auto _ : state) count += limit.try_acquire(1, clock.now());
  state.counters["admitted/s"] =
      benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsRate);
}
BENCHMARK(million_a_second)->Threads(1)->Threads(8)->UseRealTime();

void the_clock_alone(benchmark::State& state) {
  SystemClock clock;
  for (auto _ : state) benchmark::DoNotOptimize(clock.now());
}
BENCHMARK(the_clock_alone)->Threads(1)->Threads(8)->UseRealTime();

}  // namespace
