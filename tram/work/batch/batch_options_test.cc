// Options: what cannot be, and what finds itself.
#include <doctest/doctest.h>
#include <memory>
#include <string>

#include "tram/work/batcher.h"
#include "tram/work/testing/batch_downstream.h"

using namespace tram::work;
using namespace tram::work::test;
using namespace std::chrono_literals;
using tram::base::Duration;

TEST_CASE("options that contradict each other are named") {
  Sim sim(1);
  Runtime runtime(sim);
  auto wrong = [&](BatchOptions<int> options) -> std::string {
    try {
      Batcher<int, int> batcher(runtime, std::move(options), squares_of);
    } catch (const Failure& failure) {
      CHECK(failure.error() == Errc::invalid_argument);
      CHECK(failure.error().where() == "batcher");
      return std::string(failure.error().detail());
    }
    return "";
  };
  CHECK(wrong({}) == "");
  CHECK(wrong({.max_items = 0}) == "max_items must be at least 1");
  CHECK(wrong({.max_weight = 5}) == "max_weight needs a weight function");
  CHECK(wrong({.weight = [](const int&) { return uint64_t{1}; }}) == "weight needs a max_weight");
  CHECK(wrong({.max_wait = -1ms}) == "max_wait must not be negative");
  CHECK(wrong({.slot_wait = Duration(-1ms)}) == "slot_wait must not be negative");
  CHECK(wrong({.max_items = -1}) == "max_items must be at least 1");
  CHECK(wrong({.max_items = BatchSizeClimb::Options{.min = 0}}) == "max_items: min is 0");
  CHECK(wrong({.max_weight = ~uint64_t{0}, .weight = [](const int&) { return uint64_t{1}; }}) ==
        "max_weight times waiting_max must fit into 64 bits");
  CHECK(wrong({.inflight = 0}).starts_with("inflight: "));
  CHECK(wrong({.inflight = -1}).starts_with("inflight: "));
  InFlight no_thin_ones = 4;
  no_thin_ones.thin_max = 0;
  CHECK(wrong({.inflight = no_thin_ones}) == "inflight: thin_max must be at least 1");
  CHECK(wrong({.waiting_max = 0}) == "waiting_max must be at least 1");
  struct Odd {
    int value;
  };
  CHECK_THROWS_AS((Batcher<Odd, int>(runtime, {.dedup = true},
                                     [](std::span<const Odd>) { return std::vector<int>(); })),
                  Failure);
  CHECK_THROWS_AS((Batcher<Odd, int>(runtime, {.cache = Cache::per_scope},
                                     [](std::span<const Odd>) { return std::vector<int>(); })),
                  Failure);
  using Box = std::unique_ptr<int>;
  CHECK_THROWS_AS((Batcher<int, Box>(runtime, {.dedup = true},
                                     [](std::span<const int>) { return std::vector<Box>(); })),
                  Failure);
}

TEST_CASE("calls in flight are found by themselves, and never more than the maximum") {
  Sim sim(1);
  Runtime runtime(sim);
  Batcher<int, int> loads(runtime, {.max_items = 10, .inflight = LimitOptions{.min = 1, .max = 32}},
                          [](std::span<const int> keys, Context c) {
                            return c.spawn_after([n = keys.size()] { return std::vector(n, 1); },
                                                 c.sleep(5ms));
                          });
  CHECK(loads.stats().limit == 16);
  Scope scope(runtime);
  // More than it can take, for five seconds; latency stays the same, so more in flight is better.
  for (int round = 0; round < 1000; ++round)
    scope.spawn_after(
        [&](Context c) {
          std::vector<Unit<int>> units;
          for (int i = 0; i < 400; ++i) units.push_back(loads(i, c));
          return c.spawn_after([](const std::vector<int>& all_of) { return all_of.size(); },
                               all(std::move(units)));
        },
        scope.sleep(round * 5ms));
  CHECK(scope.wait().has_value());
  CHECK(loads.stats().in_flight_max == 32);
  CHECK(loads.stats().limit == 32);
}

TEST_CASE("by default full calls go together, as many as help, and others two at a time") {
  Sim sim(1);
  Runtime runtime(sim);
  int thin = 0;
  int thin_most = 0;
  Batcher<int, int> loads(runtime, [&](std::span<const int> keys, Context c) {
    const bool full = keys.size() == 100;
    if (!full) thin_most = std::max(thin_most, ++thin);
    return c.spawn_after(
        [&thin, full, n = keys.size()] {
          if (!full) --thin;
          return std::vector(n, 1);
        },
        c.sleep(5ms));
  });
  CHECK(loads.stats().limit == 4);
  SUBCASE("a thousand at a time: in the end one round trip") {
    for (int round = 0; round < 20; ++round) {
      Scope scope(runtime);
      const auto began = sim.now();
      scope.spawn([&](Context c) {
        for (int i = 0; i < 1000; ++i) loads(i, c);
      });
      CHECK(scope.wait().has_value());
      // Ten calls, four at first, then with what is found to help.
      const Duration taken = sim.now() - began;
      if (round == 0) CHECK(taken == Duration(10ms));
      if (round > 1) CHECK(taken == Duration(5ms));
    }
    CHECK(loads.stats().limit >= 10);
    CHECK(loads.stats().in_flight_max <= 16);
    CHECK(loads.stats().calls == 200);
    CHECK(thin_most == 0);
  }
  SUBCASE("one every millisecond: two round trips at a time, the others gather") {
    Scope scope(runtime);
    for (int i = 0; i < 1000; ++i)
      scope.spawn_after([&, i](Context c) { return loads(i, c); }, scope.sleep(i * 1ms));
    CHECK(scope.wait().has_value());
    CHECK(thin_most == 2);
    CHECK(loads.stats().in_flight_max == 2);
    CHECK(loads.stats().calls <= 1000 * 2 / 5 + 2);
  }
}

TEST_CASE("by default a downstream that can do two at a time is not given ten") {
  Sim sim(1);
  Runtime runtime(sim);
  // Two connections: who finds both taken waits for one.
  std::array<Time, 2> free_at = {};
  Batcher<int, int> loads(runtime, [&](std::span<const int> keys, Context c) {
    Time& connection = *std::ranges::min_element(free_at);
    connection = std::max(connection, runtime.now()) + Duration(5ms);
    return c.spawn_after([n = keys.size()] { return std::vector(n, 1); },
                         c.sleep(connection - runtime.now()));
  });
  double limits = 0;
  for (int round = 0; round < 200; ++round) {
    Scope scope(runtime);
    scope.spawn([&](Context c) {
      for (int i = 0; i < 1000; ++i) loads(i, c);
    });
    CHECK(scope.wait().has_value());
    limits += loads.stats().limit;
  }
  MESSAGE("mean limit " << limits / 200);
  CHECK(limits / 200 < 6);
}

TEST_CASE("the size of calls is found by itself, and never more than the maximum") {
  Sim sim(1);
  Runtime runtime(sim);
  size_t largest = 0;
  // A millisecond, and ten microseconds for each item: the larger the better, up to a target.
  Batcher<int, int> loads(
      runtime,
      {.max_items = BatchSizeClimb::Options{.max = 1000, .initial = 4, .latency_target = 3ms},
       .inflight = 1},
      [&](std::span<const int> keys, Context c) {
        largest = std::max(largest, keys.size());
        auto count = static_cast<int64_t>(keys.size());
        return c.spawn_after([count] { return std::vector(static_cast<size_t>(count), 1); },
                             c.sleep(Duration::from_nanoseconds(1'000'000 + 10'000 * count)));
      });
  CHECK(loads.stats().max_items == 4);
  Scope scope(runtime);
  for (int round = 0; round < 200; ++round) {
    std::vector<Unit<int>> units;
    for (int i = 0; i < 1000; ++i) units.push_back(loads(i, scope));
    for (auto& unit : units) CHECK(unit.get() == 1);
  }
  CHECK(loads.stats().max_items > 80);
  CHECK(loads.stats().max_items < 280);  // 3.8 ms.
  CHECK(largest <= 1000);
}

TEST_CASE("calls wait for the rate limit, and the batch goes on gathering meanwhile") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Sim sim(seed);
    Runtime runtime(sim);
    Gcra limit = *Gcra::make({.rate = 100, .burst = 1});
    std::vector<int64_t> times;
    std::vector<size_t> sizes;
    Batcher<int, int> loads(runtime, {.inflight = 8, .limit = &limit},
                            [&](std::span<const int> keys) {
                              times.push_back(sim.now().nanoseconds());
                              sizes.push_back(keys.size());
                              return squares_of(keys);
                            });
    Scope scope(runtime);
    for (int i = 0; i < 30; ++i)
      scope.spawn_after([&, i](Context c) { return loads(i, c); }, scope.sleep(i * 1ms));
    CHECK(scope.wait().has_value());
    CHECK(times == std::vector<int64_t>{0, 10'000'000, 20'000'000, 30'000'000});
    CHECK(sizes.front() == 1);
    CHECK((sizes[1] == 9 || sizes[1] == 10));
    CHECK(loads.stats().held_up >= 3);
    // Waiting for it is one timer, not a loop.
    CHECK(sim.steps() < 400);
  }
}

TEST_CASE(
    "a rate limiter that a batcher shares with others holds both, and a pause is one for both") {
  Sim sim(1);
  Runtime runtime(sim);
  auto limiter = *RateLimiter::make(runtime, {.rate = 10, .burst = 1});
  std::vector<int64_t> times;
  Batcher<int, int> loads(runtime, {.limit = &limiter}, [&](std::span<const int> keys) {
    times.push_back(sim.now().nanoseconds() / 1'000'000);
    if (times.size() == 1) limiter.pause_for(1s);  // They said 429.
    return squares_of(keys);
  });
  Scope scope(runtime);
  loads(1, scope);
  for (int i = 0; i < 3; ++i)
    scope.spawn_after([&, i](Context c) { return loads(i, c); }, scope.sleep(i * 400ms + 1ms));
  CHECK(scope.wait().has_value());
  CHECK(times == std::vector<int64_t>{0, 1000});
  CHECK_FALSE(limiter.try_acquire());
  CHECK(limiter.acquire(scope).get().has_value());
  CHECK(sim.now().nanoseconds() / 1'000'000 == 1100);
}

TEST_CASE("a rate limit of items: what goes is paid for, and nothing else") {
  Sim sim(1);
  Runtime runtime(sim);
  Gcra limit = *Gcra::make({.rate = 1000, .burst = 10});
  Downstream downstream;
  Batcher<int, int> loads(
      runtime,
      {.inflight = 8, .limit = &limit, .limit_counts = LimitCounts::items, .name = "limited"},
      downstream.function());
  CHECK(loads.stats().max_items == 10);  // More could never go at once.
  std::vector<Unit<int>> units;
  for (int i = 0; i < 30; ++i) units.push_back(loads(i));
  for (int i = 0; i < 30; ++i) CHECK(units[static_cast<size_t>(i)].get() == i * i);
  CHECK(sim.now().nanoseconds() == 20'000'000);
  CHECK(downstream.calls.size() == 3);
  sim.run_for(1s);
  // Those that leave before the call give their tokens back.
  units.clear();
  for (int i = 0; i < 10; ++i) units.push_back(loads(i));
  loads.flush();  // It has gone, but no worker has begun it.
  for (int i = 0; i < 4; ++i) units[static_cast<size_t>(i)].cancel();
  sim.run_until_idle();
  CHECK(downstream.calls.back().size() == 6);
  CHECK(limit.next_free(4, sim.now()) == sim.now());
  CHECK(limit.next_free(6, sim.now()) > sim.now());
  sim.run_for(1s);
  units.clear();
  for (int i = 0; i < 10; ++i) units.push_back(loads(i));
  loads.flush();
  for (auto& unit : units) unit.cancel();
  sim.run_until_idle();
  CHECK(limit.next_free(10, sim.now()) == sim.now());
}

TEST_CASE("get() pays too, and the end of a batcher waits for what the limit holds up") {
  Sim sim(1);
  Runtime runtime(sim);
  Gcra limit = *Gcra::make({.rate = 10, .burst = 1});
  std::optional<Unit<int>> last;
  {
    Batcher<int, int> loads(runtime, {.limit = &limit}, squares_of);
    CHECK(loads.get(1) == 1);
    CHECK(sim.now().nanoseconds() == 0);
    CHECK(loads.get(2) == 4);
    CHECK(sim.now().nanoseconds() == 100'000'000);
    limit.pause_until(sim.now() + Duration(2s));
    last = loads(3);
    sim.run_for(1s);
    CHECK_FALSE(last->done());
  }
  CHECK(last->result() == 9);
  CHECK(sim.now().nanoseconds() == 2'100'000'000);
}
