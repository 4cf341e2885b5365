#include "tram/work/rate_limiter.h"

#include <atomic>
#include <doctest/doctest.h>
#include <thread>
#include <vector>

#include "tram/base/random.h"
#include "tram/work/sim.h"
#include "tram/work/testing/test_seeds.h"

using namespace std::chrono_literals;
using namespace tram::work;
using tram::base::Duration;
using tram::base::Random;
using tram::base::Time;

namespace {

struct World {
  explicit World(RateLimiter::Options options, uint64_t seed = 1)
      : sim(seed), runtime(sim), limiter(*RateLimiter::make(runtime, options)) {}
  int64_t milliseconds() const { return sim.now().nanoseconds() / 1'000'000; }
  // When each of `units` ended, in milliseconds; -1 for one that did not end well.
  std::vector<int64_t> ends_of(const std::vector<Unit<void>>& units) {
    std::vector<int64_t> ends(units.size(), -2);
    do {
      for (size_t i = 0; i < units.size(); ++i)
        if (ends[i] == -2 && units[i].done()) ends[i] = units[i].result() ? milliseconds() : -1;
    } while (sim.step());
    return ends;
  }

  Sim sim;
  Runtime runtime;
  RateLimiter limiter;
};

Errc why(const Unit<void>& unit) {
  REQUIRE(unit.done());
  REQUIRE_FALSE(unit.result());
  return unit.result().error().code();
}

}  // namespace

TEST_CASE("a burst goes at once, and then one each interval, in the order of asking") {
  World world({.rate = 100, .burst = 3});
  Scope scope(world.runtime);
  std::vector<Unit<void>> units;
  for (int i = 0; i < 6; ++i) units.push_back(world.limiter.acquire(scope));
  CHECK(world.limiter.waiting() == 3);
  CHECK(world.ends_of(units) == std::vector<int64_t>{0, 0, 0, 10, 20, 30});
  CHECK(world.limiter.waiting() == 0);
}

TEST_CASE("nobody overtakes who waits for more than they want") {
  World world({.rate = 100, .burst = 5});
  Scope scope(world.runtime);
  REQUIRE(world.limiter.try_acquire(4));
  std::vector<Unit<void>> units = {world.limiter.acquire(scope, 5),
                                   world.limiter.acquire(scope, 1)};
  CHECK_FALSE(world.limiter.try_acquire(1));
  CHECK(world.limiter.try_acquire(0));
  CHECK(world.limiter.wait_for(2) == Duration(70ms));
  CHECK(world.ends_of(units) == std::vector<int64_t>{40, 50});
}

TEST_CASE("who could not be served in time is told at once, and takes nothing") {
  World world({.rate = 10, .burst = 1});
  Scope scope(world.runtime, {.on_error = OnError::keep_going});
  REQUIRE(world.limiter.try_acquire());
  Unit<void> patient = world.limiter.acquire(scope, 1, 100ms);
  Unit<void> hasty = world.limiter.acquire(scope, 1, 199ms);
  CHECK(why(hasty) == Errc::overloaded);
  {
    Scope brief(world.runtime, {.deadline = 150ms, .on_error = OnError::keep_going});
    CHECK(why(world.limiter.acquire(brief)) == Errc::overloaded);
  }
  Unit<void> next = world.limiter.acquire(scope, 1, 200ms);
  std::vector<Unit<void>> units = {patient, next};
  CHECK(world.ends_of(units) == std::vector<int64_t>{100, 200});
  CHECK_FALSE(scope.wait());
}

TEST_CASE("who gives up takes nothing with it, and those behind move up") {
  World world({.rate = 10, .burst = 4});
  Scope scope(world.runtime, {.on_error = OnError::keep_going});
  REQUIRE(world.limiter.try_acquire(4));
  Unit<void> first = world.limiter.acquire(scope, 4);
  std::vector<Unit<void>> behind = {world.limiter.acquire(scope), world.limiter.acquire(scope, 2)};
  first.cancel();
  CHECK(why(first) == Errc::cancelled);
  CHECK(world.limiter.waiting() == 2);
  CHECK(world.ends_of(behind) == std::vector<int64_t>{100, 300});
  CHECK(scope.wait());
}

TEST_CASE("a scope that ends takes its callers out of the line") {
  World world({.rate = 1, .burst = 1});
  REQUIRE(world.limiter.try_acquire());
  Scope scope(world.runtime);
  Unit<void> waits = world.limiter.acquire(scope);
  scope.cancel();
  CHECK(why(waits) == Errc::cancelled);
  CHECK(world.limiter.waiting() == 0);
  CHECK(why(world.limiter.acquire(scope)) == Errc::cancelled);
}

TEST_CASE("a pause puts everybody off, tells those it is too long for, and ends without a burst") {
  World world({.rate = 10, .burst = 5});
  Scope scope(world.runtime, {.on_error = OnError::keep_going});
  REQUIRE(world.limiter.try_acquire(5));
  Unit<void> patient = world.limiter.acquire(scope);
  Unit<void> hasty = world.limiter.acquire(scope, 1, 500ms);
  Unit<void> third = world.limiter.acquire(scope);
  world.limiter.pause_for(1s);
  CHECK(why(hasty) == Errc::overloaded);
  Unit<void> last = world.limiter.acquire(scope);
  CHECK(world.ends_of({patient, third, last}) == std::vector<int64_t>{1000, 1100, 1200});
  CHECK_FALSE(scope.wait());
}

TEST_CASE("what can never go, and what finds the line full, is refused by name") {
  World world({.rate = 1, .burst = 2, .waiting_max = 1});
  Scope scope(world.runtime, {.on_error = OnError::keep_going});
  Unit<void> too_much = world.limiter.acquire(scope, 3);
  CHECK(why(too_much) == Errc::invalid_argument);
  CHECK(too_much.result().error().detail() == "3 tokens are more than the burst, 2");
  CHECK(world.limiter.wait_for(3) == Duration::forever());
  REQUIRE(world.limiter.try_acquire(2));
  Unit<void> waits = world.limiter.acquire(scope);
  CHECK(why(world.limiter.acquire(scope)) == Errc::overloaded);
  CHECK(world.limiter.acquire(scope, 0).done());
  CHECK_FALSE(RateLimiter::make(world.runtime, {.rate = 0}));
  CHECK_FALSE(RateLimiter::make(world.runtime, {.rate = 1, .burst = 0}));
  CHECK_FALSE(scope.wait());
  CHECK(waits.result());
}

TEST_CASE("a limiter that goes lets nobody wait for ever") {
  World world({.rate = 1, .burst = 1});
  Scope scope(world.runtime);
  REQUIRE(world.limiter.try_acquire());
  Unit<void> waits = world.limiter.acquire(scope);
  world.limiter = *RateLimiter::make(world.runtime, {.rate = 1});
  CHECK(why(waits) == Errc::closed);
  CHECK(world.limiter.try_acquire());
}

TEST_CASE("whatever is asked, given up and paused: never more than the rate, and in order") {
  for (uint64_t seed : test::seeds_from_environment(200)) {
    CAPTURE(seed);
    Random random(seed);
    const uint64_t rate = 1 + random.below(1000), burst = 1 + random.below(20);
    World world({.rate = rate, .burst = burst}, seed);
    Scope scope(world.runtime, {.on_error = OnError::keep_going});
    struct Asked {
      Unit<void> unit;
      uint64_t count;
      Time granted = Time::never();
    };
    std::vector<Asked> all;
    auto look = [&] {
      for (Asked& each : all)
        if (each.granted == Time::never() && each.unit.done() && each.unit.result())
          each.granted = world.sim.now();
    };
    for (int i = 0; i < 60; ++i) {
      if (random.one_in(12)) world.limiter.pause_for(std::chrono::milliseconds(random.below(200)));
      if (random.one_in(6) && !all.empty()) all[random.below(all.size())].unit.cancel();
      uint64_t count = 1 + random.below(burst);
      Duration at_most = random.one_in(3) ? Duration(std::chrono::milliseconds(random.below(500)))
                                          : Duration::forever();
      all.push_back({world.limiter.acquire(scope, count, at_most), count});
      look();
      for (uint64_t steps = random.below(4); steps > 0 && world.sim.step(); --steps) look();
    }
    do look();
    while (world.sim.step());

    Time latest;
    std::vector<Asked*> granted;
    for (Asked& each : all) {
      REQUIRE(each.unit.done());
      if (each.granted == Time::never()) continue;
      CHECK(each.granted >= latest);
      latest = each.granted;
      granted.push_back(&each);
    }
    for (size_t from = 0; from < granted.size(); ++from) {
      uint64_t tokens = 0;
      for (size_t to = from; to < granted.size(); ++to) {
        tokens += granted[to]->count;
        const auto nanoseconds =
            static_cast<uint64_t>((granted[to]->granted - granted[from]->granted).nanoseconds());
        // A billion times both sides, so that nothing is rounded.
        CHECK(tokens * 1'000'000'000 <= burst * 1'000'000'000 + rate * nanoseconds + rate);
      }
    }
    (void)scope.wait();
  }
}

TEST_CASE("many threads: everybody is served, and not before it could be") {
  Runtime runtime({.workers = 3});
  auto limiter = *RateLimiter::make(runtime, {.rate = 100'000, .burst = 10});
  constexpr int threads = 4, each = 500;
  const Time began = runtime.now();
  std::atomic<int> served = 0, given_up = 0;
  {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    std::vector<std::jthread> callers;
    for (int t = 0; t < threads; ++t)
      callers.emplace_back([&, t] {
        Random random(static_cast<uint64_t>(t) + 1);
        std::vector<Unit<void>> mine;
        for (int i = 0; i < each; ++i) {
          mine.push_back(limiter.acquire(scope));
          if (random.one_in(10)) mine[random.below(mine.size())].cancel();
        }
        for (Unit<void>& unit : mine) ++(unit.get() ? served : given_up);
      });
  }
  CHECK(served + given_up == threads * each);
  CHECK(runtime.now() - began >= Duration(std::chrono::microseconds((served - 10) * 10)));
  CHECK(limiter.waiting() == 0);
}
