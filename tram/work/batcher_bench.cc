// What a batcher costs: for an item alone, and for each of many in a batch. The batch function does
// nothing, so all of it is ours; the floors are what nobody could do without.
#include <benchmark/benchmark.h>

#include "tram/work/batcher.h"

using namespace tram::work;

namespace {

constexpr int64_t many = 10'000;
constexpr tram::base::Duration never = tram::base::Duration::forever();

void nothing(std::span<const int> keys) { benchmark::DoNotOptimize(keys.data()); }
std::vector<int> same(std::span<const int> keys) { return {keys.begin(), keys.end()}; }

void per_item(benchmark::State& state, int64_t items) {
  state.SetItemsProcessed(state.iterations() * items);
  state.counters["per item"] =
      benchmark::Counter(static_cast<double>(state.iterations() * items),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// The floor of a lone request: two looks at the clock.
void two_looks_at_the_clock(benchmark::State& state) {
  Runtime runtime({.workers = 2});
  for (auto _ : state) {
    benchmark::DoNotOptimize(runtime.now());
    benchmark::DoNotOptimize(runtime.now());
  }
}
BENCHMARK(two_looks_at_the_clock);

// Nobody else asks: this thread makes the call itself.
void alone(benchmark::State& state) {
  Runtime runtime({.workers = 2});
  Batcher<int, void> batcher(runtime, nothing);
  for (auto _ : state) benchmark::DoNotOptimize(batcher.get(1).has_value());
}
BENCHMARK(alone)->MeasureProcessCPUTime()->UseRealTime();

// As many threads as calls may be in flight; and more, who have to wait for each other.
void threads_that_get(benchmark::State& state) {
  static std::optional<Runtime> runtime;
  static std::optional<Batcher<int, void>> batcher;
  if (state.thread_index() == 0) {
    runtime.emplace(Runtime::Options{.workers = 2});
    batcher.emplace(*runtime, nothing);
  }
  for (auto _ : state) benchmark::DoNotOptimize(batcher->get(1).has_value());
  if (state.thread_index() == 0) {
    batcher.reset();
    runtime.reset();
  }
}
BENCHMARK(threads_that_get)->Threads(2)->Threads(8)->MeasureProcessCPUTime()->UseRealTime();

// A body that asks and goes on when it has its answer: nothing else runs.
void alone_in_a_body(benchmark::State& state) {
  Runtime runtime({.workers = 2});
  Batcher<int, int> batcher(runtime, same);
  struct Again {
    static Unit<int> next(Batcher<int, int>* ask, int64_t left, Context c) {
      if (left == 0) return (*ask)(0, c);
      return c.spawn_after([ask, left](int, Context then) { return next(ask, left - 1, then); },
                           (*ask)(1, c));
    }
  };
  for (auto _ : state) {
    Scope scope(runtime);
    scope.spawn(&Again::next, &batcher, many);
    benchmark::DoNotOptimize(scope.wait().has_value());
  }
  per_item(state, many);
}
BENCHMARK(alone_in_a_body)->MeasureProcessCPUTime()->UseRealTime();

// The floor of a posted item: a block of memory, and a list under a lock.
void a_list_under_a_lock(benchmark::State& state) {
  std::mutex mutex;
  std::vector<int> keys;
  for (auto _ : state) {
    for (int i = 0; i < many; ++i) {
      void* block = UnitMemory::take(96);
      benchmark::DoNotOptimize(block);
      {
        std::lock_guard lock(mutex);
        keys.push_back(i);
        if (keys.size() == 100) keys.clear();
      }
      UnitMemory::give_back(block, 96);
    }
  }
  per_item(state, many);
}
BENCHMARK(a_list_under_a_lock)->MeasureProcessCPUTime()->UseRealTime();

// Posted by a thread, sent by two workers, a hundred at a time.
void posted(benchmark::State& state) {
  Runtime runtime({.workers = 2});
  for (auto _ : state) {
    Batcher<int, void> batcher(runtime, nothing);
    for (int i = 0; i < many; ++i) benchmark::DoNotOptimize(batcher.post(i).has_value());
  }
  per_item(state, many);
}
BENCHMARK(posted)->MeasureProcessCPUTime()->UseRealTime();

// The same by a body, so that nobody has to be woken.
void posted_by_a_body(benchmark::State& state) {
  Runtime runtime({.workers = 2});
  for (auto _ : state) {
    Batcher<int, void> batcher(runtime, nothing);
    Scope scope(runtime);
    scope.spawn([&] {
      for (int i = 0; i < many; ++i) benchmark::DoNotOptimize(batcher.post(i).has_value());
    });
    benchmark::DoNotOptimize(scope.wait().has_value());
  }
  per_item(state, many);
}
BENCHMARK(posted_by_a_body)->MeasureProcessCPUTime()->UseRealTime();

// Asked for by one body, each with a unit and a result of its own.
void asked(benchmark::State& state, const BatchOptions<int>& options) {
  Runtime runtime({.workers = 2});
  Batcher<int, int> batcher(runtime, options, same);
  for (auto _ : state) {
    Scope scope(runtime);
    scope.spawn([&](Context c) {
      for (int i = 0; i < many; ++i) batcher(i, c);
    });
    benchmark::DoNotOptimize(scope.wait().has_value());
  }
  per_item(state, many);
}
BENCHMARK_CAPTURE(asked, hundred_in_a_call, BatchOptions<int>())
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(asked, all_in_one_call, BatchOptions<int>{.max_items = 1'000'000})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(asked, dedup, BatchOptions<int>{.dedup = true})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(asked, cached, BatchOptions<int>{.cache = Cache::per_scope})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(asked, ten_partitions,
                  BatchOptions<int>{
                      .partition = [](const int& key,
                                      const Spawner&) { return Partition(key % 10); }})
    ->MeasureProcessCPUTime()
    ->UseRealTime();

// Row 19: a tree of loads that depend on each other, depth 5, fan-out 10.
void tree(benchmark::State& state, const BatchOptions<int>& options) {
  Runtime runtime({.workers = 2});
  Batcher<int, int> batcher(runtime, options, same);
  struct Load {
    static Unit<int> load(Batcher<int, int>* ask, int levels, Context c) {
      if (levels == 1) return (*ask)(levels, c);
      return c.spawn_after(
          [ask, levels](int, Context then) {
            std::vector<Unit<int>> below;
            below.reserve(10);
            for (int i = 0; i < 10; ++i) below.push_back(then.spawn(load, ask, levels - 1));
            return then.spawn_after([](const std::vector<int>& values) { return values[0]; },
                                    all(std::move(below)));
          },
          (*ask)(levels, c));
    }
  };
  for (auto _ : state) {
    Scope scope(runtime);
    scope.spawn(&Load::load, &batcher, 5);
    benchmark::DoNotOptimize(scope.wait().has_value());
  }
  state.counters["calls"] = benchmark::Counter(static_cast<double>(batcher.stats().calls),
                                               benchmark::Counter::kAvgIterations);
  per_item(state, 11'111);
}
BENCHMARK_CAPTURE(tree, whole_levels,
                  BatchOptions<int>{.max_items = 1'000'000, .max_wait = never, .slot_wait = never})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(tree, hundred_by_level,
                  BatchOptions<int>{
                      .max_wait = never, .slot_wait = never, .flush = Flush::only_idle})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(tree, hundred, BatchOptions<int>())->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
