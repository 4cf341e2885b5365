// What coroutines cost: skynet, and tokio's chained spawn, spawn many, yield many and ping-pong.
//
// The column CPU is the processor time of all threads; items_per_second is of wall time.
#include <benchmark/benchmark.h>

#include "tram/work/task.h"

using namespace tram::work;

namespace {

Runtime& runtime() {
  static Runtime made({.workers = 2});
  return made;
}

// ---- Skynet: each spawns ten, a million leaves ----------------------------------------------

int64_t skynet_of_units_sum(const std::vector<int64_t>& sums) {
  int64_t sum = 0;
  for (int64_t each : sums) sum += each;
  return sum;
}
struct Skynet {
  // All are coroutines; each awaits its ten one after the other, or all at once.
  static Task<int64_t> tasks(int64_t first, int64_t size, Context c) {
    if (size == 1) co_return first;
    std::vector<Unit<int64_t>> below;
    below.reserve(10);
    for (int i = 0; i < 10; ++i)
      below.push_back(c.spawn(tasks, first + i * (size / 10), size / 10));
    int64_t sum = 0;
    for (Unit<int64_t>& each : below) sum += co_await each;
    co_return sum;
  }
  static Task<int64_t> tasks_all(int64_t first, int64_t size, Context c) {
    if (size == 1) co_return first;
    std::vector<Unit<int64_t>> below;
    below.reserve(10);
    for (int i = 0; i < 10; ++i)
      below.push_back(c.spawn(tasks_all, first + i * (size / 10), size / 10));
    std::vector<int64_t> sums = co_await all(std::move(below));
    co_return skynet_of_units_sum(sums);
  }
  // Only the inner nodes are coroutines.
  static int64_t leaf(int64_t first) { return first; }
  static Task<int64_t> plain_leaves(int64_t first, int64_t size, Context c) {
    std::vector<Unit<int64_t>> below;
    below.reserve(10);
    for (int64_t i = 0; i < 10; ++i)
      below.push_back(size == 10 ? c.spawn(leaf, first + i)
                                 : c.spawn(plain_leaves, first + i * (size / 10), size / 10));
    std::vector<int64_t> sums = co_await all(std::move(below));
    co_return skynet_of_units_sum(sums);
  }
  // The same without units: one coroutine after the other, on one thread.
  static Task<int64_t> one_thread(int64_t first, int64_t size) {
    if (size == 1) co_return first;
    int64_t sum = 0;
    for (int i = 0; i < 10; ++i) sum += co_await one_thread(first + i * (size / 10), size / 10);
    co_return sum;
  }
  // No coroutines.
  static Unit<int64_t> units(int64_t first, int64_t size, Context c) {
    if (size == 1) return c.spawn(leaf, first);
    std::vector<Unit<int64_t>> below;
    below.reserve(10);
    for (int64_t i = 0; i < 10; ++i)
      below.push_back(size == 10 ? c.spawn(leaf, first + i)
                                 : c.spawn(units, first + i * (size / 10), size / 10));
    return c.spawn_after(skynet_of_units_sum, all(std::move(below)));
  }
};
constexpr int64_t leaves = 1'000'000;

template <class Body>
void skynet(benchmark::State& state, Body body) {
  for (auto _ : state) {
    Scope scope(runtime());
    Unit<int64_t> root = scope.spawn(body, int64_t{0}, leaves);
    if (root.get() != leaves * (leaves - 1) / 2) state.SkipWithError("wrong sum");
  }
  state.SetItemsProcessed(state.iterations() * leaves);
}
BENCHMARK_CAPTURE(skynet, tasks, Skynet::tasks)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(skynet, tasks_all, Skynet::tasks_all)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(skynet, plain_leaves, Skynet::plain_leaves)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(skynet, units, Skynet::units)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(skynet, one_thread, Skynet::one_thread)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// ---- tokio's --------------------------------------------------------------------------------

constexpr int64_t many = 10'000;

template <class Body>
void run(benchmark::State& state, int64_t items, Body body) {
  for (auto _ : state) {
    Scope scope(runtime());
    Unit<void> root = scope.spawn(body);
    if (!root.get()) state.SkipWithError("failed");
  }
  state.SetItemsProcessed(state.iterations() * items);
}

// Each spawns the next; the last one tells.
void chained_spawn(benchmark::State& state) {
  struct Chain {
    static Task<> link(int64_t left, Promise<void> done, Context c) {
      if (left == 0)
        done.set_value();
      else
        c.spawn(link, left - 1, std::move(done));
      co_return;
    }
  };
  run(state, many, [](Context c) -> Task<> {
    auto end = c.external<void>();
    c.spawn(Chain::link, many, std::move(end.promise));
    co_await end.unit;
  });
}
BENCHMARK(chained_spawn)->MeasureProcessCPUTime()->UseRealTime();

// Each awaits the next.
void chained_await(benchmark::State& state) {
  struct Chain {
    static Task<> link(int64_t left, Context c) {
      if (left == 0) co_return;
      Unit<void> next = c.spawn(link, left - 1);
      co_await next;
    }
  };
  run(state, many, [](Context c) -> Task<> {
    auto first = c.spawn(Chain::link, many);
    co_await first;
  });
}
BENCHMARK(chained_await)->MeasureProcessCPUTime()->UseRealTime();

void spawn_many(benchmark::State& state) {
  run(state, many, [](Context c) -> Task<> {
    auto nothing = []() -> Task<> { co_return; };
    std::vector<Unit<void>> units;
    units.reserve(many);
    for (int64_t i = 0; i < many; ++i) units.push_back(c.spawn(nothing));
    co_await all(std::move(units));
  });
}
BENCHMARK(spawn_many)->MeasureProcessCPUTime()->UseRealTime();

// 200 coroutines that give way 1,000 times each.
void yield_many(benchmark::State& state) {
  run(state, 200 * 1000, [](Context c) -> Task<> {
    auto yields = []() -> Task<> {
      for (int i = 0; i < 1000; ++i) co_await yield();
    };
    std::vector<Unit<void>> units;
    for (int i = 0; i < 200; ++i) units.push_back(c.spawn(yields));
    co_await all(std::move(units));
  });
}
BENCHMARK(yield_many)->MeasureProcessCPUTime()->UseRealTime();

void yield_alone(benchmark::State& state) {
  run(state, many, []() -> Task<> {
    for (int64_t i = 0; i < many; ++i) co_await yield();
  });
}
BENCHMARK(yield_alone)->MeasureProcessCPUTime()->UseRealTime();

// A pair for each of a thousand: one sends and waits for the answer, the other answers.
void ping_pong(benchmark::State& state) {
  run(state, 1000, [](Context c) -> Task<> {
    auto pair = [](Context in) -> Task<> {
      auto ping = in.external<int>();
      auto pong = in.external<int>();
      auto answers = [](Unit<int> asked, Promise<int> answer) -> Task<> {
        int n = co_await asked;
        answer.set_value(n + 1);
      };
      in.spawn(answers, ping.unit, std::move(pong.promise));
      ping.promise.set_value(1);
      co_await pong.unit;
    };
    std::vector<Unit<void>> units;
    for (int i = 0; i < 1000; ++i) units.push_back(c.spawn(pair));
    co_await all(std::move(units));
  });
}
BENCHMARK(ping_pong)->MeasureProcessCPUTime()->UseRealTime();

// What one co_await costs: of a coroutine, of a unit that is done, of one that has yet to run.
void await_task(benchmark::State& state) {
  run(state, many, []() -> Task<> {
    auto one = []() -> Task<int> { co_return 1; };
    int64_t sum = 0;
    for (int64_t i = 0; i < many; ++i) sum += co_await one();
    benchmark::DoNotOptimize(sum);
  });
}
BENCHMARK(await_task)->MeasureProcessCPUTime()->UseRealTime();

void await_done_unit(benchmark::State& state) {
  run(state, many, [](Context c) -> Task<> {
    auto unit = c.spawn([] { return 1; });
    int64_t sum = 0;
    for (int64_t i = 0; i < many; ++i) sum += co_await unit;
    benchmark::DoNotOptimize(sum);
  });
}
BENCHMARK(await_done_unit)->MeasureProcessCPUTime()->UseRealTime();

void await_new_unit(benchmark::State& state) {
  run(state, many, [](Context c) -> Task<> {
    int64_t sum = 0;
    for (int64_t i = 0; i < many; ++i) {
      auto unit = c.spawn([] { return 1; });
      sum += co_await unit;
    }
    benchmark::DoNotOptimize(sum);
  });
}
BENCHMARK(await_new_unit)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
