// Units that are ended, cancelled, held up and let go of by several threads at once.

#include <doctest/doctest.h>
#include <thread>
#include <vector>

#include "tram/work/scope.h"

using namespace tram::work;
using namespace std::chrono_literals;

TEST_CASE("a unit that is cancelled and let go of while a worker takes it runs, or is cancelled") {
  constexpr size_t units = 20'000;
  Runtime runtime({.workers = 2});
  std::vector<std::atomic<bool>> ran(units);
  std::vector<bool> cancelled(units);
  {
    Scope scope(runtime);
    for (size_t i = 0; i < units; ++i) {
      Unit<void> unit = scope.spawn([&ran, i] { ran[i] = true; });
      for (size_t wait = i % 50; wait > 0; --wait)
        std::atomic_signal_fence(std::memory_order_seq_cst);
      unit.cancel();
      cancelled[i] = unit.done() && !unit.result().has_value();
    }
    CHECK(scope.wait().has_value());
  }
  for (size_t i = 0; i < units; ++i) REQUIRE(ran[i] != cancelled[i]);
}

TEST_CASE(
    "a dependency that is added while a unit runs holds it up, or is refused since it is done") {
  Runtime runtime({.workers = 2});
  Scope scope(runtime);
  int held_up = 0;
  for (int i = 0; i < 5000; ++i) {
    auto [late, promise] = scope.external<void>();
    Unit<int> unit = scope.spawn([] { return 7; });
    for (int wait = i % 50; wait > 0; --wait) std::atomic_signal_fence(std::memory_order_seq_cst);
    if (unit.after(late)) {
      REQUIRE_FALSE(unit.done());
      ++held_up;
    } else {
      REQUIRE(unit.done());
    }
    promise.set_value();
    REQUIRE(unit.get() == 7);
  }
  CHECK(scope.wait().has_value());
  MESSAGE(held_up, " of 5000 were held up");
}

TEST_CASE("a unit that was cancelled while it waited can be made to wait for no more") {
  Runtime runtime({.workers = 1});
  Scope scope(runtime);
  auto [never, promise] = scope.external<void>();
  Unit<void> unit = scope.spawn_after([] {}, never);
  unit.cancel();
  REQUIRE(unit.done());
  Result<void> refused = unit.after(never);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == Errc::closed);
  promise.set_value();
}

TEST_CASE("all() runs its body once, after the last, in whatever order they end") {
  for (unsigned workers : {1U, 2U, 4U}) {
    Runtime runtime({.workers = workers});
    Scope scope(runtime);
    for (int round = 0; round < 200; ++round) {
      std::vector<Unit<int>> units;
      std::vector<Promise<int>> promises;
      std::atomic<int> ended = 0;
      for (int i = 0; i < 9; ++i) {
        if (i % 3 == 0) {
          auto [unit, promise] = scope.external<int>();
          units.push_back(unit);
          promises.push_back(std::move(promise));
        } else {
          units.push_back(scope.spawn([&ended, i] {
            ++ended;
            return i;
          }));
        }
      }
      Unit<int> sum = scope.spawn_after(
          [&ended](const std::vector<int>& values) {
            CHECK(ended == 9);
            int total = 0;
            for (int value : values) total += value;
            return total;
          },
          all(std::move(units)));
      for (size_t i = promises.size(); i-- > 0;) {
        CHECK_FALSE(sum.done());
        ++ended;
        promises[i].set_value(static_cast<int>(3 * i));
      }
      REQUIRE(sum.get() == 36);
    }
    CHECK(scope.wait().has_value());
  }
}

TEST_CASE("all that wait for one unit run, however many, and whoever ends it") {
  for (bool by_a_body : {false, true}) {
    CAPTURE(by_a_body);
    constexpr int units = 5000;
    Runtime runtime({.workers = 2});
    Scope scope(runtime);
    std::atomic<int> ran = 0;
    auto [ready, promise] = scope.external<void>();
    for (int i = 0; i < units; ++i) scope.spawn_after([&ran] { ++ran; }, ready);
    if (by_a_body)
      scope.spawn([](Promise<void> given) { given.set_value(); }, std::move(promise));
    else
      promise.set_value();
    CHECK(scope.wait().has_value());
    CHECK(ran == units);
  }
}
