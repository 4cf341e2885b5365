#include "tram/work/queues/two_ended_ring.h"

#include <deque>
#include <doctest/doctest.h>
#include <stdexcept>
#include <thread>

#include "tram/base/random.h"
#include "tram/work/testing/test_seeds.h"

using namespace tram::work;
using tram::base::Random;
using tram::work::test::seeds_from_environment;

TEST_CASE("a ring with two ends does what a plain queue does") {
  for (uint64_t seed : seeds_from_environment(50)) {
    CAPTURE(seed);
    Random random(seed);
    TwoEndedRing<std::unique_ptr<int>> ring;
    std::deque<int> model;
    const size_t most = 1 + random.below(40);
    for (int step = 0; step < 2000; ++step) {
      switch (random.below(6)) {
        case 0: {
          auto value = std::make_unique<int>(step);
          bool room = model.size() < most;
          // At its back end alone it cannot get memory.
          if (ring.push(value, most)) {
            REQUIRE(room);
            model.push_back(step);
          } else {
            REQUIRE(value != nullptr);
            if (!room) break;
            ring.push_back(std::move(value));
            model.push_back(step);
          }
          break;
        }
        case 1: {
          std::vector<std::unique_ptr<int>> values;
          size_t count = random.below(10);
          for (size_t i = 0; i < count; ++i) values.push_back(std::make_unique<int>(step));
          size_t done = ring.push_some(values, most);
          REQUIRE(done <= (model.size() < most ? most - model.size() : 0));
          for (size_t i = 0; i < count; ++i) REQUIRE((values[i] == nullptr) == (i < done));
          model.insert(model.end(), done, step);
          break;
        }
        case 2: {
          std::vector<std::unique_ptr<int>> values;
          size_t count = random.below(10);
          ring.pop_some(values, count);
          REQUIRE(values.size() == std::min(count, model.size()));
          for (auto& value : values) {
            REQUIRE(*value == model.front());
            model.pop_front();
          }
          break;
        }
        case 3: {
          if (random.below(4) > 0) break;
          ring.push_front(std::make_unique<int>(-step));
          model.push_front(-step);
          break;
        }
        default: {
          auto value = ring.pop();
          REQUIRE(value.has_value() == !model.empty());
          if (!value) break;
          REQUIRE(**value == model.front());
          model.pop_front();
        }
      }
      REQUIRE(ring.size() == model.size());
      REQUIRE(ring.ends_at(ring.front_place()) == model.empty());
      REQUIRE(ring.looks_full(most) == (model.size() >= most));
    }
    TwoEndedRing<std::unique_ptr<int>> other;
    other.swap(ring);
    CHECK(ring.empty());
    CHECK(other.size() == model.size());
  }
}

TEST_CASE("its two ends work at the same time: nothing lost, nothing twice, in order") {
  TwoEndedRing<std::vector<int>> ring;
  for (int i = 0; i < 9; ++i) ring.push_back({-1});
  while (ring.pop()) {
  }
  constexpr int count = 100'000;
  std::jthread puts([&] {
    for (int i = 0; i < count;) {
      std::vector<int> one = {i};
      if (ring.push(one, 16))
        ++i;
      else
        std::this_thread::yield();
    }
  });
  int next = 0, wrong = 0;
  std::vector<std::vector<int>> some;
  while (next < count) {
    if (auto one = ring.pop()) wrong += one->at(0) == next++ ? 0 : 1;
    some.clear();
    ring.pop_some(some, 3);
    for (const auto& one : some) wrong += one.at(0) == next++ ? 0 : 1;
    if (some.empty()) std::this_thread::yield();
  }
  CHECK(wrong == 0);
  CHECK(ring.empty());
}

TEST_CASE("a value that cannot be moved stays where it is, and those before it have gone") {
  struct Heavy {
    explicit Heavy(int what) : number(what) {}
    Heavy(Heavy&& other) : number(other.number) {  // NOLINT(performance-noexcept-move-constructor)
      if (number == 2 && other.refuses) throw std::runtime_error("too heavy");
      other.number = -1;
    }
    int number;
    bool refuses = false;
  };
  TwoEndedRing<Heavy> ring;
  ring.push_back(Heavy(0));
  CHECK(ring.pop()->number == 0);
  std::vector<Heavy> values;
  values.reserve(4);
  for (int i = 1; i <= 3; ++i) values.emplace_back(i);
  values[1].refuses = true;
  CHECK_THROWS_AS(ring.push_some(values, 8), std::runtime_error);
  CHECK(ring.size() == 1);
  CHECK(values[1].number == 2);
  CHECK(ring.pop()->number == 1);
  CHECK_FALSE(ring.pop().has_value());
}
