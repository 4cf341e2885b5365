#include "tram/work/adaptive_limit.h"

#include <doctest/doctest.h>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tram/work/sim.h"

using namespace std::chrono_literals;
using namespace tram::work;
using tram::base::Duration;
using tram::base::Time;

namespace {

LimitController fixed(uint32_t limit) {
  return *LimitController::make({.algorithm = Fixed{}, .initial = limit});
}

}  // namespace

TEST_CASE("as many permits are given out as the limit says, and a place comes back once") {
  AdaptiveLimit limit(fixed(2));
  const Time now;
  auto first = limit.try_acquire(now);
  auto second = limit.try_acquire(now);
  REQUIRE(first);
  REQUIRE(second);
  CHECK_FALSE(limit.try_acquire(now));
  first->report(Outcome::ok, now);
  first->report(Outcome::ok, now);
  CHECK(limit.in_flight() == 1);
  AdaptiveLimit::Permit moved = std::move(*second);
  second.reset();
  CHECK(limit.in_flight() == 1);
  moved.report(Outcome::timed_out, now);
  CHECK(limit.in_flight() == 0);
}

TEST_CASE("a permit lost to an exception is a drop, one that is merely let go is not") {
  std::vector<LimitChange> changes;
  AdaptiveLimit limit(*LimitController::make({.min = 1, .max = 100, .initial = 50}),
                      [&](const LimitChange& change) { changes.push_back(change); });
  Time now = Time() + Duration(1s);
  for (int i = 0; i < 100; ++i) auto permit = limit.try_acquire(now);
  CHECK(limit.limit() == 50);
  for (int i = 0; i < 2; ++i)  // One of a window would be noise.
    try {
      auto permit = limit.try_acquire(now);
      throw std::runtime_error("downstream");
    } catch (const std::runtime_error&) {
    }
  CHECK(limit.limit() == 35);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].reason == LimitReason::drops);
  CHECK(changes[0].from == 50);
  CHECK(changes[0].to == 35);
  CHECK(limit.in_flight() == 0);
}

TEST_CASE("a permit taken while an exception is leaving, and let go there, is not a drop") {
  AdaptiveLimit limit(*LimitController::make({.min = 1, .max = 100, .initial = 50}));
  struct CleansUp {
    AdaptiveLimit& of;
    ~CleansUp() {
      for (int i = 0; i < 10; ++i) auto permit = of.try_acquire(Time());
    }
  };
  try {
    CleansUp here{limit};
    throw std::runtime_error("something else");
  } catch (const std::runtime_error&) {
  }
  CHECK(limit.limit() == 50);
}

TEST_CASE(
    "when the limit falls, what is under way stays and nothing new begins until it is below") {
  AdaptiveLimit limit(*LimitController::make({.min = 1, .max = 100, .initial = 10}));
  std::vector<AdaptiveLimit::Permit> under_way;
  Time now = Time() + Duration(1s);
  for (int i = 0; i < 10; ++i) under_way.push_back(std::move(*limit.try_acquire(now)));
  for (int i = 0; i < 2; ++i) under_way[static_cast<size_t>(i)].report(Outcome::timed_out, now);
  CHECK(limit.limit() == 7);
  CHECK(limit.in_flight() == 8);
  CHECK_FALSE(limit.try_acquire(now));
  under_way[2].report(Outcome::ok, now);
  CHECK_FALSE(limit.try_acquire(now));
  under_way[3].report(Outcome::ok, now);
  CHECK(limit.try_acquire(now));
}

TEST_CASE("whoever hears of a change may use the limit") {
  uint32_t heard = 0;
  AdaptiveLimit* self = nullptr;
  AdaptiveLimit limit(*LimitController::make({.algorithm = ByQueueFill{}, .max = 10, .initial = 4}),
                      [&](const LimitChange& change) {
                        heard = self->limit();
                        CHECK(heard == change.to);
                        CHECK(self->baseline() == Duration());
                        auto permit = self->try_acquire(change.at);
                        permit->report(Outcome::ok, change.at);
                      });
  self = &limit;
  limit.observe_queue(9, 10, Time());
  limit.observe_queue(9, 10, Time() + Duration(100ms));
  CHECK(heard == 8);
}

TEST_CASE("threads never have more under way than the limit, and all places come back") {
  AdaptiveLimit limit(fixed(3));
  std::atomic<int> under_way = 0, most = 0, taken = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 5'000; ++i) {
          auto permit = limit.try_acquire(Time());
          if (!permit) continue;
          const int here = ++under_way;
          for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
          }
          ++taken;
          --under_way;
          if (i % 3) permit->report(i % 5 ? Outcome::ok : Outcome::timed_out, Time());
        }
      });
  }
  CHECK(most <= 3);
  CHECK(taken > 0);
  CHECK(limit.in_flight() == 0);
}

TEST_CASE("those who wait get places in the order in which they came, and nobody overtakes") {
  Sim sim(1);
  Runtime runtime(sim);
  AdaptiveLimit limit(fixed(1));
  Scope scope(runtime);
  auto held = limit.try_acquire(sim.now());
  REQUIRE(held);
  std::vector<Unit<AdaptiveLimit::Permit>> units;
  for (int i = 0; i < 3; ++i) units.push_back(limit.acquire(scope));
  CHECK(limit.waiting() == 3);
  units[1].cancel();
  CHECK(limit.waiting() == 2);
  held->report(Outcome::ok, sim.now());
  CHECK(units[0].done());
  CHECK_FALSE(units[2].done());
  CHECK_FALSE(limit.try_acquire(sim.now()));
  {
    auto permit = std::move(units[0]).get();
    REQUIRE(permit);
    permit->report(Outcome::ok, sim.now());
  }
  REQUIRE(units[2].done());
  CHECK(limit.in_flight() == 1);
  units.clear();
  CHECK(limit.in_flight() == 0);
  CHECK(scope.wait());
}

TEST_CASE("a limit that rises lets in several of those who wait") {
  Sim sim(1);
  Runtime runtime(sim);
  AdaptiveLimit limit(
      *LimitController::make({.algorithm = ByQueueFill{}, .min = 1, .max = 8, .initial = 1}));
  Scope scope(runtime);
  std::vector<Unit<AdaptiveLimit::Permit>> units;
  for (int i = 0; i < 8; ++i) units.push_back(limit.acquire(scope));
  CHECK(limit.waiting() == 7);
  Time now = sim.now();
  while (limit.limit() < 8) limit.observe_queue(100, 100, now = now + 1s);
  CHECK(limit.waiting() == 0);
  for (auto& unit : units) CHECK(unit.done());
}

TEST_CASE("a line that is full, and a scope that is over, are named") {
  Sim sim(1);
  Runtime runtime(sim);
  Scope scope(runtime, {.on_error = OnError::keep_going});
  AdaptiveLimit limit(fixed(1), {}, 1);
  auto held = limit.try_acquire(sim.now());
  auto waits = limit.acquire(scope);
  CHECK(limit.acquire(scope).result().error() == Errc::overloaded);
  Scope over(runtime);
  over.cancel();
  CHECK(limit.acquire(over).result().error() == Errc::cancelled);
  CHECK_FALSE(waits.done());
  waits.cancel();
  CHECK(waits.result().error() == Errc::cancelled);
  CHECK(limit.waiting() == 0);
  CHECK_FALSE(scope.wait());
}

TEST_CASE("many threads wait for few places: all are served, and no more at once than may be") {
  for (unsigned workers : {1u, 2u, 3u, 8u}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers});
    AdaptiveLimit limit(fixed(3));
    std::atomic<int> inside = 0, most = 0, served = 0;
    {
      Scope scope(runtime);
      auto call = [&](const AdaptiveLimit::Permit&) {
        int now = ++inside;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        ++served;
        --inside;
      };
      for (int i = 0; i < 2000; ++i) scope.spawn_after(call, limit.acquire(scope));
      REQUIRE(scope.wait());
    }
    CHECK(served == 2000);
    CHECK(most <= 3);
    CHECK(limit.in_flight() == 0);
    CHECK(limit.waiting() == 0);
  }
}
