// What a batch function may return, and how it may fail.
#include <doctest/doctest.h>
#include <map>
#include <memory>
#include <stdexcept>

#include "tram/work/batcher.h"
#include "tram/work/testing/batch_downstream.h"

using namespace tram::work;
using namespace tram::work::test;
using namespace std::chrono_literals;
using tram::base::Duration;

TEST_CASE("a batch function may return results, maps, units, or throw: each caller has its own") {
  everywhere([](Runtime& runtime) {
    auto odd_fails = [](int key) -> Result<int> {
      if (key % 2 == 1) return failure(Errc::failed, "odd");
      return key * 10;
    };
    auto by_item = [=](std::span<const int> keys) {
      std::vector<Result<int>> results;
      for (int key : keys) results.push_back(odd_fails(key));
      return results;
    };
    auto by_key = [](std::span<const int> keys) {
      std::unordered_map<int, int> results;
      for (int key : keys)
        if (key % 2 == 0) results[key] = key * 10;
      return results;
    };
    auto check = [&](Batcher<int, int>& batcher, Errc code) {
      Scope scope(runtime, {.on_error = OnError::keep_going});
      std::vector<Unit<int>> units;
      for (int key = 0; key < 10; ++key) units.push_back(batcher(key, scope));
      for (int key = 0; key < 10; ++key) {
        Result<int> result = units[static_cast<size_t>(key)].get();
        if (key % 2 == 0) {
          CHECK(result == key * 10);
        } else {
          CHECK(result.error() == code);
          CHECK(result.error().where() == "b");
        }
      }
      CHECK(scope.wait().error().all().size() == 5);
    };
    using B = Batcher<int, int>;
    B items(runtime, {.name = "b"}, by_item);
    check(items, Errc::failed);
    B keys(runtime, {.name = "b"}, by_key);
    check(keys, Errc::missing_result);
    B ordered(runtime, {.name = "b"}, [=](std::span<const int> k) {
      auto found = by_key(k);
      return std::map<int, int>(found.begin(), found.end());
    });
    check(ordered, Errc::missing_result);
    B perhaps(runtime, {.name = "b"},
              [=](std::span<const int> k) { return Result<std::vector<Result<int>>>(by_item(k)); });
    check(perhaps, Errc::failed);
    B later(runtime, {.name = "b"}, [=](std::span<const int> k, Context c) {
      return c.spawn([results = by_key(k)] { return results; });
    });
    check(later, Errc::missing_result);
    B at_once(runtime, {.name = "b"}, [=](std::span<const int> k, Context c) {
      auto [unit, promise] = c.external<std::vector<Result<int>>>();
      promise.set_value(by_item(k));
      return unit;
    });
    check(at_once, Errc::failed);
  });
}

TEST_CASE("a call that fails is the error of each of its items, and of no other call's") {
  everywhere([](Runtime& runtime) {
    // One call for each ten.
    Batcher<int, int> loads(runtime,
                            {.max_items = 10,
                             .max_wait = never,
                             .slot_wait = never,
                             .flush = Flush::by_size,
                             .inflight = 1,
                             .name = "fragile"},
                            [](std::span<const int> keys) -> Result<std::vector<int>> {
                              if (keys[0] == 10) throw std::runtime_error("the database is gone");
                              if (keys[0] == 20) return failure(Errc::overloaded, "later");
                              if (keys[0] == 30) throw 7;
                              if (keys[0] == 40) return std::vector<int>(9, 0);
                              return squares_of(keys);
                            });
    std::vector<Unit<int>> units;
    for (int key = 0; key < 60; ++key) units.push_back(loads(key));
    for (int key = 0; key < 60; ++key) {
      CAPTURE(key);
      Result<int> result = units[static_cast<size_t>(key)].get();
      if (key < 10 || key >= 50) {
        CHECK(result == key * key);
        continue;
      }
      REQUIRE_FALSE(result.has_value());
      CHECK(result.error().where() == "fragile");
      if (key < 20) {
        CHECK(result.error() == Errc::failed);
        CHECK(result.error().detail() == "the database is gone");
        CHECK_THROWS_AS(result.error().raise(), std::runtime_error);
      } else if (key < 30) {
        CHECK(result.error() == Errc::overloaded);
      } else if (key < 40) {
        CHECK(result.error() == Errc::failed);
      } else {
        CHECK(result.error() == Errc::missing_result);
        CHECK(result.error().detail() == "the batch function returned 9 results for 10 keys");
      }
    }
    CHECK(loads.stats().calls == 6);
  });
}

TEST_CASE("a batch function without results, and one whose unit fails or is none") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> sum = 0;
    Batcher<int, void> adds(runtime, [&](std::span<const int> keys) {
      for (int key : keys) sum += key;
    });
    Unit<void> unit = adds(1);
    CHECK(unit.get().has_value());
    CHECK(adds.get(2).has_value());
    CHECK(sum == 3);
    Batcher<int, void> refuses(runtime, [](std::span<const int> keys) {
      return std::vector<Result<void>>(keys.size(), failure(Errc::failed, "no"));
    });
    CHECK(refuses.get(1).error().detail() == "no");
    Batcher<int, int> fails(runtime, [](std::span<const int>, Context c) {
      return c.spawn([]() -> std::vector<int> { throw std::runtime_error("in the unit"); });
    });
    CHECK(fails.get(1).error().detail() == "in the unit");
    CHECK(fails(1).get().error().detail() == "in the unit");
    Batcher<int, int> none(runtime, [](std::span<const int>) { return Unit<std::vector<int>>(); });
    CHECK(none.get(1).error() == Errc::missing_result);
    CHECK(none(1).get().error() == Errc::missing_result);
    Batcher<int, int> drops(runtime, [](std::span<const int>, Context c) {
      return c.external<std::vector<int>>().unit;  // And its promise is dropped.
    });
    CHECK(drops(1).get().error() == Errc::cancelled);
  });
}

TEST_CASE("keys and values that can only be moved") {
  everywhere([](Runtime& runtime) {
    using Box = std::unique_ptr<int>;
    Batcher<Box, Box> boxes(runtime, [](std::span<const Box> keys) {
      std::vector<Box> results;
      for (const Box& key : keys) results.push_back(std::make_unique<int>(*key + 1));
      return results;
    });
    CHECK(**boxes.get(std::make_unique<int>(1)) == 2);
    CHECK(**boxes(std::make_unique<int>(2)).get() == 3);
  });
}

TEST_CASE("a key that is asked for twice: of what cannot be copied, only one has it from a map") {
  Sim sim(1);
  Runtime runtime(sim);
  using Box = std::unique_ptr<int>;
  Batcher<int, Box> boxes(runtime, {.flush = Flush::manual}, [](std::span<const int> keys) {
    std::map<int, Box> results;
    for (int key : keys) results[key] = std::make_unique<int>(key);
    return results;
  });
  auto first = boxes(1);
  auto again = boxes(1);
  boxes.flush();
  CHECK(**std::move(first).get() == 1);
  CHECK(std::move(again).get().error() == Errc::missing_result);
}

TEST_CASE("values that a vector packs") {
  everywhere([](Runtime& runtime) {
    Batcher<int, bool> odd(runtime, [](std::span<const int> keys) {
      std::vector<bool> results;
      for (int key : keys) results.push_back(key % 2 == 1);
      return results;
    });
    CHECK(odd.get(1) == true);
    CHECK(odd(2).get() == false);
  });
}
