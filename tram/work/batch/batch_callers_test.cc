// Each caller for itself: leaving, deadlines, equal keys, partitions, weights.
#include <doctest/doctest.h>
#include <latch>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "tram/work/batcher.h"
#include "tram/work/testing/batch_downstream.h"

using namespace tram::work;
using namespace tram::work::test;
using namespace std::chrono_literals;
using tram::base::Duration;

TEST_CASE("who leaves before the call is not asked for, and who leaves later only detaches") {
  Sim sim(1);
  Runtime runtime(sim);
  Downstream downstream;
  std::optional<Promise<std::vector<int>>> answer;
  Batcher<int, int> loads(runtime, {.flush = Flush::manual},
                          [&](std::span<const int> keys, Context c) {
                            downstream(keys);
                            auto [unit, promise] = c.external<std::vector<int>>();
                            answer = std::move(promise);
                            return unit;
                          });
  Scope scope(runtime);
  auto a = loads(1, scope);
  auto b = loads(2, scope);
  auto c = loads(3, scope);
  a.cancel();
  CHECK(a.get().error() == Errc::cancelled);
  loads.flush();
  sim.run_until_idle();
  REQUIRE(downstream.calls == std::vector<std::vector<int>>{{2, 3}});
  b.cancel();
  CHECK(b.get().error() == Errc::cancelled);
  CHECK_FALSE(answer->over());  // Somebody still waits for it.
  answer->set_value(std::vector{4, 9});
  CHECK(c.get() == 9);
  CHECK(b.get().error() == Errc::cancelled);
  CHECK(loads.stats().left == 2);
}

TEST_CASE("a call is stopped when its last caller has left, and not before") {
  Sim sim(1);
  Runtime runtime(sim);
  std::stop_token stop;
  std::optional<Promise<std::vector<int>>> answer;
  Batcher<int, int> loads(runtime, {.flush = Flush::manual}, [&](std::span<const int>, Context c) {
    stop = c.stop();
    auto [unit, promise] = c.external<std::vector<int>>();
    answer = std::move(promise);
    return unit;
  });
  Scope one(runtime);
  Scope other(runtime);
  auto a = loads(1, one);
  auto b = loads(2, other);
  loads.flush();
  sim.run_until_idle();
  one.cancel();
  CHECK(a.done());
  CHECK_FALSE(stop.stop_requested());
  other.cancel();
  CHECK(stop.stop_requested());
  CHECK(answer->over());
  CHECK(b.get().error() == Errc::cancelled);
  sim.run_until_idle();
  CHECK(loads.stats().in_flight == 0);
}

TEST_CASE("a running batch function is told when its last caller has left") {
  Runtime runtime({.workers = 2});
  std::latch begun(1);
  Batcher<int, int> loads(runtime, [&](std::span<const int> keys, Context c) {
    begun.count_down();
    while (!c.stopped()) std::this_thread::yield();
    return squares_of(keys);
  });
  Scope scope(runtime);
  auto a = loads(1, scope);
  auto b = loads(2);
  begun.wait();
  scope.cancel();
  b.cancel();
  CHECK(a.get().error() == Errc::cancelled);
  CHECK(b.get().error() == Errc::cancelled);
}

TEST_CASE("a call that every caller has left before it began is not made") {
  Sim sim(1);
  Runtime runtime(sim);
  Downstream downstream;
  Batcher<int, int> loads(runtime, {.flush = Flush::manual}, downstream.function());
  auto a = loads(1);
  auto b = loads(2);
  loads.flush();  // It has gone, but no worker has begun it.
  a.cancel();
  b.cancel();
  sim.run_until_idle();
  CHECK(downstream.calls.empty());
  CHECK(loads.stats().calls == 0);
  CHECK(loads.stats().in_flight == 0);
  auto c = loads(3);
  auto d = loads(4);
  loads.flush();
  c.cancel();
  CHECK(d.get() == 16);
  CHECK(downstream.calls == std::vector<std::vector<int>>{{4}});
}

TEST_CASE("each caller times out on its own, and the call has the latest of their deadlines") {
  Sim sim(1);
  Runtime runtime(sim);
  tram::base::Time deadline;
  Batcher<int, int> loads(
      runtime, {.flush = Flush::manual}, [&](std::span<const int> keys, Context c) {
        deadline = c.deadline();
        return c.spawn_after([out = squares_of(keys)] { return out; }, c.sleep(50ms));
      });
  Scope hasty(runtime, {.deadline = 20ms, .on_error = OnError::keep_going});
  Scope patient(runtime, {.deadline = 70ms});
  auto a = loads(1, hasty);
  auto b = loads(2, patient);
  loads.flush();
  CHECK(a.get().error() == Errc::timed_out);
  CHECK(sim.now().nanoseconds() == 20'000'000);
  CHECK(b.get() == 4);
  CHECK(sim.now().nanoseconds() == 50'000'000);
  CHECK(deadline.nanoseconds() == 70'000'000);
  // Two hasty ones: at the later deadline the call itself times out.
  Scope first(runtime, {.deadline = 10ms, .on_error = OnError::keep_going});
  Scope second(runtime, {.deadline = 30ms, .on_error = OnError::keep_going});
  auto c = loads(3, first);
  auto d = loads(4, second);
  loads.flush();
  CHECK(d.get().error() == Errc::timed_out);
  sim.run_until_idle();
  CHECK(c.get().error() == Errc::timed_out);
  CHECK(sim.now().nanoseconds() == 80'000'000);
  CHECK(loads.stats().in_flight == 0);
}

TEST_CASE("asking within a scope that was stopped fails at once, and asks nobody") {
  everywhere([](Runtime& runtime) {
    Downstream downstream;
    Batcher<int, int> loads(runtime, downstream.function());
    Scope scope(runtime);
    scope.cancel();
    CHECK(loads(1, scope).get().error() == Errc::cancelled);
    CHECK(downstream.calls.empty());
    CHECK(loads.stats().waiting == 0);
  });
}

TEST_CASE("equal keys of a batch are asked for once, and a cancelled one cancels no other") {
  everywhere([](Runtime& runtime) {
    Downstream downstream;
    Batcher<int, int> loads(runtime, {.max_items = 3, .flush = Flush::by_size, .dedup = true},
                            downstream.function());
    std::vector<Unit<int>> units;
    for (int i = 0; i < 10; ++i) units.push_back(loads(i % 2));
    CHECK(downstream.calls.empty());  // Ten callers, but two keys.
    units[0].cancel();                // It stood for its key.
    units[3].cancel();
    units.push_back(loads(0));
    units.push_back(loads(2));
    for (int i = 0; i < 11; ++i) {
      if (i == 0 || i == 3)
        CHECK(units[static_cast<size_t>(i)].get().error() == Errc::cancelled);
      else
        CHECK(units[static_cast<size_t>(i)].get() == (i == 10 ? 0 : i % 2));
    }
    CHECK(units[11].get() == 4);
    REQUIRE(downstream.calls.size() == 1);
    CHECK(std::set(downstream.calls[0].begin(), downstream.calls[0].end()) == std::set{0, 1, 2});
    CHECK(downstream.calls[0].size() == 3);
    CHECK(loads.stats().shared == 9);
    // All of one key leave: it is not asked for.
    auto a = loads(7);
    auto b = loads(7);
    auto c = loads(8);
    a.cancel();
    b.cancel();
    loads.flush();
    CHECK(c.get() == 64);
    CHECK(downstream.calls.back() == std::vector<int>{8});
  });
}

TEST_CASE("within one scope a cache gives the same unit, unless that has failed") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> calls = 0;
    std::atomic<bool> works = true;
    Batcher<int, int> loads(runtime, {.cache = Cache::per_scope},
                            [&](std::span<const int> keys) -> Result<std::vector<int>> {
                              ++calls;
                              if (!works) return failure(Errc::failed);
                              return squares_of(keys);
                            });
    Batcher<int, int> others(runtime, {.cache = Cache::per_scope}, ones_of);
    Scope scope(runtime, {.on_error = OnError::keep_going});
    CHECK(loads(3, scope).get() == 9);
    CHECK(loads(3, scope).get() == 9);
    CHECK(calls == 1);
    CHECK(others(3, scope).get() == 1);  // Another batcher has its own.
    Scope second(runtime);
    CHECK(loads(3, second).get() == 9);  // And so has another scope.
    CHECK(calls == 2);
    works = false;
    CHECK_FALSE(loads(4, scope).get().has_value());
    works = true;
    CHECK(loads(4, scope).get() == 16);
  });
}

TEST_CASE("items of different partitions never share a call") {
  everywhere([](Runtime& runtime) {
    struct Tenant {
      std::string name;
    };
    std::mutex mutex;
    std::map<std::string, std::vector<int>> seen;
    std::atomic<bool> mixed = false;
    Batcher<int, int> loads(runtime,
                            {.partition =
                                 [](const int&, const Spawner& caller) {
                                   const auto* tenant = caller.local<Tenant>();
                                   return Partition(tenant == nullptr ? "nobody" : tenant->name);
                                 }},
                            [&](std::span<const int> keys, Context c) {
                              std::lock_guard lock(mutex);
                              auto& mine = seen[c.local<Partition>()->text()];
                              mine.insert(mine.end(), keys.begin(), keys.end());
                              for (int key : keys) mixed = mixed || key / 100 != keys[0] / 100;
                              return squares_of(keys);
                            });
    Scope red(runtime);
    red.set_local(Tenant{"red"});
    Scope blue(runtime);
    blue.set_local(Tenant{"blue"});
    std::vector<Unit<int>> units;
    for (int i = 0; i < 50; ++i) {
      units.push_back(red.spawn([&, i](Context c) { return loads(100 + i, c); }));
      units.push_back(blue.spawn([&, i](Context c) { return loads(200 + i, c); }));
    }
    for (auto& unit : units) CHECK(unit.get().has_value());
    CHECK(loads.get(1) == 1);
    CHECK(loads(1).get() == 1);
    CHECK_FALSE(mixed);
    CHECK(seen["red"].size() == 50);
    CHECK(seen["blue"].size() == 50);
    CHECK(seen["nobody"] == std::vector{1, 1});
  });
}

TEST_CASE("a call weighs at most max_weight, unless one item alone weighs more") {
  Sim sim(1);
  Runtime runtime(sim);
  Downstream downstream;
  Batcher<int, int> loads(runtime,
                          {.max_weight = 10,
                           .weight = [](const int& key) { return static_cast<uint64_t>(key); },
                           .inflight = 1},
                          downstream.function());
  std::vector<Unit<int>> units;
  for (int key : {4, 4, 4, 25, 1, 9, 3}) units.push_back(loads(key));
  for (auto& unit : units) CHECK(unit.get().has_value());
  CHECK(downstream.calls == std::vector<std::vector<int>>{{4, 4}, {4}, {25}, {1, 9}, {3}});
  CHECK(loads.stats().flushed(FlushReason::weight) >= 1);
}

TEST_CASE("posted items go like all others, and whoever wants hears of their failures") {
  everywhere([](Runtime& runtime) {
    std::mutex mutex;
    std::vector<int> lost;
    std::atomic<int> seen = 0;
    auto odd_fail = [&](std::span<const int> keys) {
      std::vector<Result<void>> results;
      for (int key : keys) {
        ++seen;
        results.push_back(key % 2 == 0 ? Result<void>() : failure(Errc::failed, "odd"));
      }
      return results;
    };
    {
      Batcher<int, void> posts(runtime,
                               {.max_items = 10,
                                .on_lost =
                                    [&](const int& key, const Error& error) {
                                      std::lock_guard lock(mutex);
                                      CHECK(error.detail() == "odd");
                                      lost.push_back(key);
                                    }},
                               odd_fail);
      for (int i = 0; i < 100; ++i) CHECK(posts.post(i).has_value());
    }
    CHECK(seen == 100);
    CHECK(lost.size() == 50);
    Batcher<int, void> quiet(runtime, odd_fail);
    for (int i = 0; i < 10; ++i) CHECK(quiet.post(i).has_value());
    quiet.close();
    for (bool all_seen = false; !all_seen;) {
      CHECK(quiet.get(1).error() == Errc::closed);
      Scope scope(runtime);
      scope.spawn([] {});
      CHECK(scope.wait().has_value());
      all_seen = quiet.stats().unheard == 5;
    }
  });
}

TEST_CASE("a weight or a partition that throws is the failure of its own item") {
  everywhere([](Runtime& runtime) {
    auto fragile = [](const int& key) {
      if (key == 13) throw std::runtime_error("unlucky");
      return uint64_t{1};
    };
    Batcher<int, int> weighed(runtime, {.max_weight = 100, .weight = fragile, .name = "weighed"},
                              squares_of);
    Batcher<int, int> parted(
        runtime,
        {.partition = [&](const int& key, const Spawner&) { return Partition(fragile(key)); },
         .name = "parted"},
        [](std::span<const int> keys, Context) { return squares_of(keys); });
    for (auto* batcher : {&weighed, &parted}) {
      Scope scope(runtime, {.on_error = OnError::keep_going});
      auto good = (*batcher)(2, scope);
      auto bad = (*batcher)(13, scope);
      CHECK(good.get() == 4);
      CHECK(bad.get().error().detail() == "unlucky");
      CHECK(bad.get().error().where() == batcher->name());
      CHECK((*batcher)(13).get().error().detail() == "unlucky");
      CHECK(batcher->post(13).error().detail() == "unlucky");
      CHECK(scope.wait().error().all().size() == 1);
    }
    CHECK(parted.get(13).error().detail() == "unlucky");
    CHECK(parted.get(3) == 9);
  });
}

TEST_CASE("weights of any size do not overflow") {
  Sim sim(1);
  Runtime runtime(sim);
  Downstream downstream;
  Batcher<int, int> loads(
      runtime,
      {.max_weight = 10,
       .weight =
           [](const int& key) { return key == 0 ? 0 : ~uint64_t{0} - static_cast<uint64_t>(key); },
       .flush = Flush::manual},
      downstream.function());
  std::vector<Unit<int>> units;
  for (int key : {0, 1, 2, 0, 0, 3}) units.push_back(loads(key));
  loads.flush();
  for (auto& unit : units) CHECK(unit.get().has_value());
  std::ranges::sort(downstream.calls);
  CHECK(downstream.calls == std::vector<std::vector<int>>{{0}, {0, 0}, {1}, {2}, {3}});
}

TEST_CASE("a tenant that always has a full batch does not keep another one waiting") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Sim sim(seed);
    Runtime runtime(sim);
    Batcher<int, int> loads(
        runtime,
        {.max_items = 10,
         .max_wait = 5ms,
         .inflight = 1,
         .partition = [](const int& key, const Spawner&) { return Partition(key < 0); }},
        [](std::span<const int> keys, Context c) {
          return c.spawn_after([out = squares_of(keys)] { return out; }, c.sleep(1ms));
        });
    Scope scope(runtime);
    std::vector<Unit<int>> noisy;
    for (int i = 0; i < 1000; ++i) noisy.push_back(loads(i, scope));
    auto quiet = loads(-3, scope);
    CHECK(quiet.get() == 9);
    CHECK(sim.now().nanoseconds() <= 8'000'000);  // Not after a hundred calls.
    CHECK(scope.wait().has_value());
  }
}

TEST_CASE("when the first item leaves, the batch waits for the next one's time") {
  Sim sim(1);
  Runtime runtime(sim);
  Batcher<int, int> loads(runtime, {.max_wait = 10ms, .flush = Flush::timed}, squares_of);
  Scope scope(runtime);
  auto first = loads(1, scope);
  sim.run_for(2ms);
  CHECK_FALSE(first.done());
  loads.stats();
  // The batcher looks at the clock when a batch begins; what comes later counts as no younger.
  auto next = loads(2, scope);
  first.cancel();
  CHECK(next.get() == 4);
  CHECK(sim.now().nanoseconds() == 10'000'000);
  first = loads(3, scope);
  first.cancel();
  sim.run_for(3ms);
  next = loads(4, scope);
  CHECK(next.get() == 16);
  CHECK(sim.now().nanoseconds() == 23'000'000);
}

TEST_CASE("flush() asks for what waits, and not for what comes later") {
  Sim sim(1);
  Runtime runtime(sim);
  Downstream downstream;
  Batcher<int, int> loads(runtime, {.max_items = 4, .flush = Flush::manual, .inflight = 1},
                          [&](std::span<const int> keys, Context c) {
                            return c.spawn_after([out = downstream(keys)] { return out; },
                                                 c.sleep(1ms));
                          });
  std::vector<Unit<int>> units;
  for (int i = 0; i < 8; ++i) units.push_back(loads(i));
  loads.flush();
  units.push_back(loads(8));
  sim.run_until_idle();
  CHECK(downstream.calls == std::vector<std::vector<int>>{{0, 1, 2, 3}, {4, 5, 6, 7}});
  CHECK_FALSE(units[8].done());
  units[8].cancel();
}

TEST_CASE("a scope that stops while its items are refused, and a batcher that ends just then") {
  for (int round = 0; round < 200; ++round) {
    Runtime runtime({.workers = 2});
    Scope scope(runtime, {.on_error = OnError::keep_going});
    std::latch both(2);
    std::thread stops([&] {
      both.arrive_and_wait();
      scope.cancel();
    });
    std::vector<Unit<int>> units;
    {
      Batcher<int, int> loads(runtime, {.flush = Flush::manual, .waiting_max = 1}, squares_of);
      both.arrive_and_wait();
      for (int i = 0; i < 20; ++i) units.push_back(loads(i, scope));
    }
    for (auto& unit : units) {
      auto result = unit.get();
      CHECK((result || result.error() == Errc::cancelled || result.error() == Errc::overloaded));
    }
    stops.join();
  }
}
