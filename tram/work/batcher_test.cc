// When batches go, and that everybody gets what is theirs.
#include "tram/work/batcher.h"

#include <array>
#include <doctest/doctest.h>
#include <latch>
#include <thread>

#include "tram/work/testing/batch_downstream.h"

using namespace tram::work;
using namespace tram::work::test;
using namespace std::chrono_literals;
using tram::base::Duration;

namespace {

// Loads of loads of loads: each load asks for `fan` others until it is `depth` deep.
struct Tree {
  Batcher<int, int>& batcher;
  int fan;
  Unit<int> load(int key, int levels, Context c) const {
    Unit<int> mine = batcher(key, c);
    if (levels == 1) return mine;
    return c.spawn_after(
        [this, key, levels](int, Context inner) {
          std::vector<Unit<int>> below;
          for (int i = 1; i <= fan; ++i)
            below.push_back(inner.spawn(&Tree::load_of, this, key * fan + i, levels - 1));
          return inner.spawn_after(
              [](const std::vector<int>& sums) {
                int sum = 1;
                for (int each : sums) sum += each;
                return sum;
              },
              all(std::move(below)));
        },
        mine);
  }
  static Unit<int> load_of(const Tree* tree, int key, int levels, Context c) {
    return tree->load(key, levels, c);
  }
};

}  // namespace

TEST_CASE("a batcher gives each caller its own result: a body, a scope, any thread") {
  everywhere([](Runtime& runtime) {
    Batcher<int, int> squares(runtime, squares_of);
    CHECK(squares.get(5) == 25);
    CHECK(squares(6).get() == 36);
    Scope scope(runtime);
    CHECK(scope.spawn_after([](int n) { return n + 1; }, squares(7, scope)).get() == 50);
    CHECK(scope.spawn([&](Context c) { return squares(8, c); }).get() == 64);
    CHECK(scope.spawn([&](Context) { return squares.get(9).value(); }).get() == 81);
    CHECK(scope.spawn([&](Context c) { return squares(10, c).value(); }).get() == 100);
    CHECK(scope.wait().has_value());
    CHECK(squares.stats().items == 6);
    CHECK(squares.stats().calls == 6);
    CHECK(squares.stats().waiting == 0);
    CHECK(squares.stats().in_flight == 0);
  });
}

TEST_CASE("dependent loads, depth 5, fan-out 10: the fewest calls there can be, on any threads") {
  auto count = [](Runtime& runtime, uint64_t cap, Flush flush) {
    Batcher<int, int> loads(
        runtime, {.max_items = cap, .max_wait = never, .slot_wait = never, .flush = flush},
        ones_of);
    Tree tree{loads, 10};
    Scope scope(runtime);
    CHECK(scope.spawn(&Tree::load_of, &tree, 0, 5).get() == 1111 + 10000);
    CHECK(loads.stats().items == 11111);
    return loads.stats().calls;
  };
  auto test = [&](Runtime& runtime) {
    CHECK(count(runtime, 1'000'000, Flush::when_idle) == 5);
    CHECK(count(runtime, 1'000'000, Flush::only_idle) == 5);
    CHECK(count(runtime, 100, Flush::only_idle) == 113);
    // A full batch goes before its level is complete; then the last ones may be split between
    // levels.
    uint64_t eager = count(runtime, 100, Flush::when_idle);
    CHECK(eager >= 113);
    CHECK(eager <= 118);
  };
  everywhere(test, 3);
}

TEST_CASE(
    "results given out by a thread that is no worker: nothing leaves before the last of them") {
  for (unsigned workers : {1u, 2u, 3u, 8u}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers});
    for (int round = 0; round < 3; ++round) {
      Batcher<int, int> loads(runtime,
                              {.max_items = 1'000'000,
                               .max_wait = never,
                               .slot_wait = never,
                               .flush = Flush::only_idle,
                               .inflight = 16},
                              [](std::span<const int> keys, Context c) {
                                return c.blocking([&] { return ones_of(keys); });
                              });
      Tree tree{loads, 10};
      Scope scope(runtime);
      CHECK(scope.spawn(&Tree::load_of, &tree, 0, 5).get() == 1111 + 10000);
      CHECK(loads.stats().calls == 5);
    }
  }
}

TEST_CASE("dependent loads in a simulation are the fewest calls with the options as they come") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Sim sim(seed);
    Runtime runtime(sim);
    Batcher<int, int> loads(runtime, ones_of);
    Tree tree{loads, 10};
    Scope scope(runtime);
    scope.spawn(&Tree::load_of, &tree, 0, 5).get().value();
    CHECK(loads.stats().calls == 113);
    CHECK(loads.stats().waited == Duration());
  }
}

TEST_CASE("an asynchronous downstream: a call per level, and one round trip per level") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Sim sim(seed);
    Runtime runtime(sim);
    Batcher<int, int> loads(
        runtime, {.max_items = 1'000'000, .inflight = 2}, [](std::span<const int> keys, Context c) {
          return c.spawn_after([n = keys.size()] { return std::vector(n, 1); }, c.sleep(7ms));
        });
    Tree tree{loads, 5};
    Scope scope(runtime);
    CHECK(scope.spawn(&Tree::load_of, &tree, 0, 4).get() == 1 + 5 + 25 + 125);
    CHECK(loads.stats().calls == 4);
    CHECK(sim.now().nanoseconds() == 4 * 7'000'000);
    CHECK(loads.stats().service == Duration(7ms));
    CHECK(loads.stats().saturation == doctest::Approx(0.5));
  }
}

TEST_CASE("a load chained on a load goes, also if every body waits in turn") {
  everywhere([](Runtime& runtime) {
    Downstream downstream;
    Batcher<int, int> squares(runtime, {.max_wait = never, .slot_wait = never},
                              downstream.function());
    Scope scope(runtime);
    // Awaiting in sequence makes batches of one, but none that hangs.
    auto chain = scope.spawn([&](Context c) {
      int n = 2;
      for (int i = 0; i < 3; ++i) n = squares(n, c).value();
      return n;
    });
    CHECK(chain.get() == 256);
    CHECK(downstream.calls == std::vector<std::vector<int>>{{2}, {4}, {16}});
  });
}

TEST_CASE("two batchers that feed each other go in turn") {
  everywhere([](Runtime& runtime) {
    Downstream left_calls;
    Downstream right_calls;
    {
      Batcher<int, int> left(runtime, {.max_wait = never, .slot_wait = never},
                             left_calls.function());
      Batcher<int, int> right(runtime, {.max_wait = never, .slot_wait = never},
                              right_calls.function());
      Scope scope(runtime);
      std::vector<Unit<int>> all_units;
      auto load = [&](int key, Context c) {
        return c.spawn_after([&, c](int square, Context) { return right(square, c); },
                             left(key, c));
      };
      for (int key = 0; key < 20; ++key) all_units.push_back(scope.spawn(load, key));
      for (int key = 0; key < 20; ++key)
        CHECK(all_units[static_cast<size_t>(key)].get() == key * key * key * key);
    }
    CHECK(left_calls.calls.size() <= 20);
    CHECK(right_calls.calls.size() <= 20);
  });
}

TEST_CASE("items gather while calls are in flight, so batches grow with the load") {
  Sim sim(1);
  Runtime runtime(sim);
  std::vector<size_t> sizes;
  Batcher<int, int> loads(
      runtime, {.max_wait = never, .slot_wait = never, .inflight = 1},
      [&](std::span<const int> keys, Context c) {
        sizes.push_back(keys.size());
        return c.spawn_after([n = keys.size()] { return std::vector<int>(n, 1); }, c.sleep(10ms));
      });
  Scope scope(runtime);
  for (int i = 0; i < 100; ++i)
    scope.spawn_after([&](Context c) { return loads(1, c); }, scope.sleep(i * 1ms));
  CHECK(scope.wait().has_value());
  REQUIRE(sizes.size() == 11);
  CHECK(sizes[0] == 1);
  for (size_t i = 1; i < 10; ++i) CHECK((sizes[i] >= 9 && sizes[i] <= 11));
  CHECK(loads.stats().in_flight_max == 1);
  CHECK(loads.stats().saturation > 0.95);
}

TEST_CASE("never are more calls in flight than allowed, and a full batch waits for one to end") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Sim sim(seed);
    Runtime runtime(sim);
    int now_in_flight = 0;
    int most = 0;
    Batcher<int, int> loads(runtime, {.max_items = 10, .inflight = 3},
                            [&](std::span<const int> keys, Context c) {
                              most = std::max(most, ++now_in_flight);
                              return c.spawn_after(
                                  [&, n = keys.size()] {
                                    --now_in_flight;
                                    return std::vector<int>(n, 1);
                                  },
                                  c.sleep(5ms));
                            });
    Scope scope(runtime);
    std::vector<Unit<int>> units;
    for (int i = 0; i < 100; ++i) units.push_back(loads(i, scope));
    for (auto& unit : units) CHECK(unit.get() == 1);
    CHECK(most == 3);
    CHECK(loads.stats().calls == 10);
    CHECK(loads.stats().flushed(FlushReason::items) == 10);
    CHECK(loads.stats().sizes[3] == 10);  // 8 to 15.
    CHECK(sim.now().nanoseconds() == 4 * 5'000'000);
  }
}

TEST_CASE(
    "where something always runs, a batch goes when a call could be made and it waited enough") {
  for (auto rule : {FlushReason::slot, FlushReason::wait}) {
    CAPTURE(name_of(rule));
    Runtime runtime({.workers = 2});
    Batcher<int, int> loads(runtime,
                            rule == FlushReason::slot
                                ? BatchOptions<int>{.max_wait = 60s, .slot_wait = Duration(1ms)}
                                : BatchOptions<int>{.max_wait = 1ms, .slot_wait = never},
                            squares_of);
    std::atomic<bool> answered = false;
    std::latch busy(1);
    Scope scope(runtime);
    scope.spawn([&] {
      busy.count_down();
      while (!answered) std::this_thread::yield();
    });
    busy.wait();
    CHECK(scope.spawn([&](Context c) { return loads(3, c); }).get() == 9);
    answered = true;
    CHECK(loads.stats().flushed(rule) == 1);
  }
}

TEST_CASE("max_wait counts from the first item") {
  Sim sim(1);
  Runtime runtime(sim);
  Downstream downstream;
  Batcher<int, int> loads(runtime, {.max_wait = 10ms, .flush = Flush::timed},
                          downstream.function());
  Scope scope(runtime);
  // At 0, 3, 6, ... ms: a batch takes those of 10 ms from its first.
  for (int i = 0; i < 8; ++i)
    scope.spawn_after([&, i](Context c) { return loads(i, c); }, scope.sleep(i * 3ms));
  CHECK(scope.wait().has_value());
  CHECK(downstream.calls == std::vector<std::vector<int>>{{0, 1, 2, 3}, {4, 5, 6, 7}});
  CHECK(loads.stats().flushed(FlushReason::wait) == 2);
  CHECK(loads.stats().waited_max == Duration(10ms));
  CHECK(sim.now().nanoseconds() == 22'000'000);
}

TEST_CASE("by size means by size, and flush() and close() send the rest") {
  everywhere([](Runtime& runtime) {
    Downstream downstream;
    Batcher<int, int> loads(runtime, {.max_items = 4, .flush = Flush::by_size},
                            downstream.function());
    std::vector<Unit<int>> units;
    for (int i = 0; i < 6; ++i) units.push_back(loads(i));
    CHECK(units[3].get() == 9);
    CHECK_FALSE(units[4].done());
    loads.flush();
    CHECK(units[5].get() == 25);
    units.push_back(loads(6));
    loads.close();
    CHECK(units[6].get() == 36);
    CHECK(downstream.calls.size() == 3);
    CHECK(loads.stats().flushed(FlushReason::items) == 1);
    CHECK(loads.stats().flushed(FlushReason::asked) == 1);
    CHECK(loads.stats().flushed(FlushReason::closed) == 1);
  });
}

TEST_CASE("by hand: only when asked, and in calls of at most max_items") {
  everywhere([](Runtime& runtime) {
    Downstream downstream;
    Batcher<int, int> loads(runtime, {.max_items = 4, .flush = Flush::manual, .inflight = 1},
                            downstream.function());
    std::vector<Unit<int>> units;
    for (int i = 0; i < 10; ++i) units.push_back(loads(i));
    CHECK(loads.stats().calls == 0);
    CHECK(loads.stats().waiting == 10);
    loads.flush();
    for (int i = 0; i < 10; ++i) CHECK(units[static_cast<size_t>(i)].get() == i * i);
    CHECK(downstream.calls == std::vector<std::vector<int>>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}});
  });
}

TEST_CASE("after close() all is refused by name, and what came before has its result") {
  everywhere([](Runtime& runtime) {
    Batcher<int, int> loads(runtime, {.name = "squares"}, squares_of);
    auto before = loads(3);
    loads.close();
    CHECK(before.get() == 9);
    CHECK(loads(4).get().error() == Errc::closed);
    CHECK(loads.get(4).error() == Errc::closed);
    CHECK(loads.post(4).error() == Errc::closed);
    CHECK(loads(4).get().error().text() ==
          "it takes nothing more: it was closed, or has finished (the batcher was closed), in "
          "'squares'");
    Scope scope(runtime, {.on_error = OnError::keep_going});
    CHECK(loads(5, scope).get().error() == Errc::closed);
    CHECK(scope.wait().error() == Errc::closed);
    CHECK(loads.stats().refused == 5);
  });
}

TEST_CASE("the end of a batcher waits for all results") {
  everywhere([](Runtime& runtime) {
    std::vector<Unit<int>> units;
    {
      Batcher<int, int> loads(runtime, {.max_items = 3, .flush = Flush::by_size}, squares_of);
      for (int i = 0; i < 10; ++i) units.push_back(loads(i));
    }
    for (int i = 0; i < 10; ++i) {
      REQUIRE(units[static_cast<size_t>(i)].done());
      CHECK(units[static_cast<size_t>(i)].result() == i * i);
    }
  });
}

TEST_CASE("too many that wait are refused, not queued without end") {
  Sim sim(1);
  Runtime runtime(sim);
  Batcher<int, int> loads(runtime, {.flush = Flush::manual, .waiting_max = 3}, squares_of);
  std::vector<Unit<int>> units;
  for (int i = 0; i < 3; ++i) units.push_back(loads(i));
  CHECK(loads(3).get().error() == Errc::overloaded);
  CHECK(loads.post(3).error() == Errc::overloaded);
  loads.flush();
  CHECK(units[2].get() == 4);
  CHECK(loads.post(3).has_value());
}

TEST_CASE("plain threads that ask and wait lose nothing and mix nothing up") {
  for (unsigned workers : {1U, 2U, 8U}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers});
    Batcher<int, int> squares(runtime, {.max_items = 7}, squares_of);
    std::array<bool, 4> right{};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        bool mine = true;
        for (int i = 0; i < 500; ++i) {
          int key = t * 1000 + i;
          switch (i % 3) {
            case 0:
              mine = mine && squares.get(key) == key * key;
              break;
            case 1:
              mine = mine && squares(key).get() == key * key;
              break;
            default:
              mine = mine && squares.post(key).has_value();
              break;
          }
        }
        right[static_cast<size_t>(t)] = mine;
      });
    for (auto& thread : threads) thread.join();
    for (bool each : right) CHECK(each);
    CHECK(squares.stats().items == 2000);
    CHECK(squares.stats().left == 0);
  }
}

TEST_CASE("an idle batcher sets no timer and makes no call") {
  Sim sim(1);
  Runtime runtime(sim);
  Batcher<int, int> squares(runtime, squares_of);
  CHECK(squares.get(2) == 4);
  CHECK_FALSE(sim.step());
  CHECK(squares(2).get() == 4);
  CHECK_FALSE(sim.step());
  CHECK(sim.now().nanoseconds() == 0);
  {
    // While a body runs, it might be for long: then there is a timer. It comes, comes once more in
    // case that things go on like this, and not again.
    Scope scope(runtime);
    CHECK(scope.spawn([&](Context c) { return squares(2, c); }).get() == 4);
  }
  sim.run_until_idle();
  CHECK(sim.now().nanoseconds() == 2 * FlushRule::slot_wait_min.nanoseconds());
  CHECK_FALSE(sim.step());
}

TEST_CASE("a call that blocks, and says so, keeps neither its worker nor the next batch") {
  Runtime runtime({.workers = 1});
  std::latch begun(1);
  std::latch other_made(1);
  Batcher<int, int> loads(runtime, {.max_wait = never, .slot_wait = never},
                          [&](std::span<const int> keys, Context c) {
                            if (keys[0] == 1) {
                              begun.count_down();
                              c.blocking([&] { other_made.wait(); });
                            } else {
                              other_made.count_down();
                            }
                            return squares_of(keys);
                          });
  Scope scope(runtime);
  auto slow = loads(1, scope);
  begun.wait();
  auto other = scope.spawn([&](Context c) { return loads(2, c); });
  CHECK(other.get() == 4);
  CHECK(slow.get() == 1);
}

TEST_CASE("a batcher may live and end within a body") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto sum = scope.spawn([&](Context c) {
      std::vector<Unit<int>> units;
      {
        Batcher<int, int> loads(runtime, squares_of);
        for (int i = 0; i < 10; ++i) units.push_back(loads(i, c));
      }
      int all_of = 0;
      for (auto& unit : units) all_of += unit.result().value();
      return all_of;
    });
    CHECK(sum.get() == 285);
  });
}
