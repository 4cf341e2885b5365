// What a job, a result, a value in a channel and an item in a pipeline cost, with bodies that do
// nothing: what remains is the library. Processor time is of all threads together.
#include <benchmark/benchmark.h>

#include "tram/work/channel.h"
#include "tram/work/pipeline.h"
#include "tram/work/pool.h"

namespace {

using namespace tram::work;
using namespace std::chrono_literals;

constexpr int jobs = 100'000;

void done(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * jobs);
}

// From a thread of the program's: dispatch one after the other, nothing comes back.
void job_without_result(benchmark::State& state) {
  Runtime runtime({.workers = static_cast<unsigned>(state.range(0))});
  Pool<int, void> pool(runtime, {.queue = 1024}, [](int) {});
  for (auto _ : state) {
    auto run = pool.open();
    for (int i = 0; i < jobs; ++i) (void)run.dispatch(i);
    (void)run.finish();
  }
  done(state);
}

// The Go shape: one feeds, one receives.
void job_with_result(benchmark::State& state) {
  Runtime runtime({.workers = static_cast<unsigned>(state.range(0))});
  Pool<int, int> pool(runtime, {.queue = 1024, .results = 1024}, [](int n) { return n; });
  for (auto _ : state) {
    auto run = pool.open();
    run.feed(std::views::iota(0, jobs));
    for (Result<int>& result : run.received()) benchmark::DoNotOptimize(result);
  }
  done(state);
}

void job_with_timeout(benchmark::State& state) {
  Runtime runtime({.workers = static_cast<unsigned>(state.range(0))});
  Pool<int, void> pool(runtime, {.queue = 1024, .job_timeout = 10s}, [](int) {});
  for (auto _ : state) {
    auto run = pool.open();
    run.feed(std::views::iota(0, jobs));
    (void)run.finish();
  }
  done(state);
}

// A run of ten jobs, with all that it needs.
void small_run(benchmark::State& state) {
  Runtime runtime({.workers = static_cast<unsigned>(state.range(0))});
  Pool<int, int> pool(runtime, {}, [](int n) { return n; });
  for (auto _ : state) {
    auto run = pool.open();
    run.feed(std::views::iota(0, 10));
    for (Result<int>& result : run.received()) benchmark::DoNotOptimize(result);
  }
}

void map_element(benchmark::State& state) {
  Runtime runtime({.workers = static_cast<unsigned>(state.range(0))});
  std::vector<int> numbers(jobs);
  for (auto _ : state) benchmark::DoNotOptimize(map(runtime, numbers, [](int n) { return n; }));
  done(state);
}

void channel_push_and_pop(benchmark::State& state) {
  Runtime runtime({.workers = 1});
  Channel<int> channel(runtime, {.capacity = 64});
  for (auto _ : state) {
    (void)channel.push(1);
    benchmark::DoNotOptimize(channel.pop());
  }
}

void channel_between_workers(benchmark::State& state) {
  Runtime runtime({.workers = static_cast<unsigned>(state.range(0))});
  for (auto _ : state) {
    Channel<int> channel(runtime, {.capacity = static_cast<size_t>(state.range(1))});
    Scope scope(runtime);
    scope.spawn([&] {
      for (int i = 0; i < jobs; ++i) (void)channel.push(i);
      channel.close();
    });
    scope.spawn([&] {
      while (auto value = channel.pop()) benchmark::DoNotOptimize(value);
    });
    (void)scope.wait();
  }
  done(state);
}

// Each item of this has so many stages and an end.
void pipeline_item(benchmark::State& state) {
  Runtime runtime({.workers = static_cast<unsigned>(state.range(0))});
  for (auto _ : state) {
    auto flow = from(std::views::iota(0, jobs));
    Flow<int> longer{std::move(flow.parts)};
    for (int64_t i = 0; i < state.range(1); ++i)
      longer = std::move(longer) | stage("same", {}, [](int n) { return n; });
    benchmark::DoNotOptimize(std::move(longer) | fold(0, std::bit_xor<>()) | run(runtime));
  }
  done(state);
}

void pipeline_in_batches(benchmark::State& state) {
  Runtime runtime({.workers = static_cast<unsigned>(state.range(0))});
  for (auto _ : state)
    benchmark::DoNotOptimize(
        from(std::views::iota(0, jobs)) |
        batch("same", {.max_items = 100},
              [](std::span<int> items) { return std::vector<int>(items.begin(), items.end()); }) |
        fold(0, std::bit_xor<>()) | run(runtime));
  done(state);
}

BENCHMARK(job_without_result)->Arg(1)->Arg(2)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(job_with_result)->Arg(1)->Arg(2)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(job_with_timeout)->Arg(1)->Arg(2)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(small_run)->Arg(1)->Arg(2)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(map_element)->Arg(1)->Arg(2)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK(channel_push_and_pop);
BENCHMARK(channel_between_workers)
    ->Args({2, 0})
    ->Args({2, 64})
    ->Args({1, 64})
    ->UseRealTime()
    ->MeasureProcessCPUTime();
BENCHMARK(pipeline_item)
    ->ArgsProduct({{1, 2}, {0, 1, 3, 8}})
    ->UseRealTime()
    ->MeasureProcessCPUTime();
BENCHMARK(pipeline_in_batches)->Arg(1)->Arg(2)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
