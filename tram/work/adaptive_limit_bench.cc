// What an adaptive limit costs per call, and what it makes of an overloaded downstream beside
// Gradient2 of Netflix's concurrency-limits, which is written here from its description.
#include <algorithm>
#include <benchmark/benchmark.h>
#include <string>

#include "tram/work/adaptive_limit.h"
#include "tram/work/testing/limit_simulation.h"

using namespace tram::work;
using namespace tram::work::simulation;
using tram::base::Duration;
using tram::base::Time;

namespace {

void acquire_and_report(benchmark::State& state) {
  static AdaptiveLimit limit(*LimitController::make({.min = 64, .max = 256, .initial = 64}));
  int64_t now = 0;
  for (auto _ : state) {
    now += 1'000;
    auto permit = limit.try_acquire(Time::from_nanoseconds(now));
    if (permit) permit->report(Outcome::ok, Time::from_nanoseconds(now + 500));
  }
}
BENCHMARK(acquire_and_report)->Threads(1)->Threads(8)->UseRealTime();

void refused(benchmark::State& state) {
  static AdaptiveLimit limit(*LimitController::make({.algorithm = Fixed{}, .initial = 1}));
  static auto held = limit.try_acquire(Time());
  for (auto _ : state) benchmark::DoNotOptimize(limit.try_acquire(Time()).has_value());
}
BENCHMARK(refused)->Threads(1)->Threads(8)->UseRealTime();

// As its authors describe it, with their defaults: each second the mean latency, short, is held
// against its exponential average over 600 seconds, long.
//   gradient = clamp(1.5 * long / short, 0.5, 1);  limit' = limit * gradient + 4, smoothed by 0.2
// long falls by 5 % while it is above twice short; nothing changes while less than half is used.
// Drops have no part in it: a time-out is a latency like others. Same minimum, maximum, start.
class Gradient2 {
 public:
  uint32_t limit() const { return static_cast<uint32_t>(limit_); }
  void add(const LimitController::Sample& sample, Time now) {
    sum_ += sample.latency.seconds();
    ++count_;
    used_max_ = std::max(used_max_, sample.in_flight);
    if (now - window_start_ < Duration(std::chrono::seconds(1)) || count_ < 10) return;
    const double latency = sum_ / count_;
    const bool used = used_max_ >= limit_ / 2;
    sum_ = count_ = 0;
    used_max_ = 0;
    window_start_ = now;
    long_ = long_ == 0 ? latency : long_ + (latency - long_) * 2 / 601;
    if (long_ > 2 * latency) long_ *= 0.95;
    if (!used) return;
    const double gradient = std::clamp(1.5 * long_ / latency, 0.5, 1.0);
    limit_ = std::clamp(0.8 * limit_ + 0.2 * (limit_ * gradient + 4), 4.0, 256.0);
  }

 private:
  double limit_ = 16, long_ = 0, sum_ = 0, count_ = 0;
  uint32_t used_max_ = 0;
  Time window_start_;
};

struct Ours {
  LimitController law = *LimitController::make({.min = 4, .max = 256, .initial = 16});
  uint32_t limit() const { return law.limit(); }
  void add(const LimitController::Sample& sample, Time now) { law.add(sample, now); }
};

// Row 21. Twenty servers of 10 ms, so 2,000 a second; 4,000 a second arrive. At 30 s each service
// takes four times as long, at 40 s as before, from 50 s to 80 s everything is lost and times out.
// Printed are goodput, in hundredths of what the downstream can do in that time, the latency that
// 99 in 100 stay below, and the highest limit. The first two seconds of a span are the recovery.
template <class Controller>
void overload(benchmark::State& state) {
  Downstream downstream;
  downstream.slowness = [](double t) { return t >= 30 && t < 40 ? 4 : 1; };
  downstream.lost = [](double t) { return t >= 50 && t < 80; };
  History history;
  for (auto _ : state) {
    Controller controller;
    history = Simulation<Controller>(controller, downstream, static_cast<uint64_t>(state.range(0)))
                  .run(100);
  }
  auto show = [&](const std::string& name, double from, double to, double capacity) {
    state.counters[name + "_goodput_%"] = 100 * history.answered_per_second(from, to) / capacity;
    state.counters[name + "_p99_ms"] = 1e3 * history.latency_quantile(0.99, from, to);
    state.counters[name + "_limit_max"] = history.limit_max(from, to);
  };
  show("1_overload", 2, 30, 2000);
  show("2_slower", 32, 40, 500);
  show("3_first_2s_after", 40, 42, 2000);
  show("4_after", 42, 50, 2000);
  state.counters["5_timeouts_limit_max"] = history.limit_max(60, 80);
  show("6_first_2s_after", 80, 82, 2000);
  show("7_after", 82, 100, 2000);
}
BENCHMARK(overload<Ours>)->Arg(1)->Arg(2)->Arg(3)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(overload<Gradient2>)
    ->Arg(1)
    ->Arg(2)
    ->Arg(3)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// Time-outs at which the provider is burst by others, as in concurrency-limits#137: every call of
// an hour is lost. The limit should be at its minimum, which is 4.
template <class Controller>
void an_hour_of_timeouts(benchmark::State& state) {
  Downstream downstream;
  downstream.lost = [](double) { return true; };
  downstream.timeout_seconds = 5;
  History history;
  for (auto _ : state) {
    Controller controller;
    history = Simulation<Controller>(controller, downstream, 1).run(3600, false);
  }
  state.counters["limit_after"] = history.limits.back().limit;
}
BENCHMARK(an_hour_of_timeouts<Ours>)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(an_hour_of_timeouts<Gradient2>)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
