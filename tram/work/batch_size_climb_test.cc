#include "tram/work/batch_size_climb.h"

#include <cmath>
#include <doctest/doctest.h>
#include <functional>
#include <limits>

#include "tram/base/random.h"
#include "tram/work/testing/test_seeds.h"

using namespace std::chrono_literals;
using tram::base::Duration;
using tram::base::Random;
using tram::work::BatchSizeClimb;

namespace {

BatchSizeClimb climb(BatchSizeClimb::Options options) {
  auto made = BatchSizeClimb::make(options);
  REQUIRE(made);
  return *made;
}
// Full calls to a downstream whose calls take `microseconds` for so many items.
void call(BatchSizeClimb& climb, int times, const std::function<double(double)>& microseconds,
          Random* noise = nullptr) {
  for (int i = 0; i < times; ++i) {
    double us = microseconds(climb.size());
    if (noise) us *= 0.9 + 0.2 * static_cast<double>(noise->below(1000)) / 1000;
    climb.add(climb.size(), Duration::from_nanoseconds(std::llround(us * 1e3)));
  }
}
double rate(double size, const std::function<double(double)>& microseconds) {
  return size / microseconds(size);
}
double overhead_and_items(double n) { return 1000 + 5 * n; }

}  // namespace

TEST_CASE("the size climbs until more items no longer help, and from above comes down to there") {
  for (uint32_t initial : {1U, 16U, 10'000U}) {
    CAPTURE(initial);
    auto size = climb({.min = 1, .max = 10'000, .initial = initial, .latency_target = 1s});
    call(size, 2'000, overhead_and_items);
    // A quarter more would bring less than 3 %: about 1,200 items; with steps, 700 to 2,000.
    CHECK(size.size() > 700);
    CHECK(size.size() < 2'000);
    CHECK(rate(size.size(), overhead_and_items) > 0.75 * 0.2);  // Of 0.2 a microsecond, at most.
  }
}

TEST_CASE("the latency target holds, whatever a larger batch would bring") {
  auto size = climb({.max = 10'000, .initial = 2'000, .latency_target = 3ms});
  int above = 0;
  for (int i = 0; i < 5'000; ++i) {
    call(size, 1, overhead_and_items);
    above += i > 200 && overhead_and_items(size.size()) > 3'000;
  }
  CHECK(overhead_and_items(size.size()) <= 3'000 * 1.25);
  CHECK(above < 5'000 / 10);  // Tried now and then, and left at once.
  CHECK(size.size() > 200);
}

TEST_CASE("where larger batches are slower per item, the size comes down to the best") {
  auto worse = [](double n) { return 1000 + 5 * n + 0.05 * n * n; };  // Best at 141.
  auto size = climb({.max = 10'000, .initial = 3'000, .latency_target = 10s});
  call(size, 3'000, worse);
  CHECK(size.size() > 70);
  CHECK(size.size() < 250);
}

TEST_CASE("a downstream that changes is followed") {
  auto size = climb({.max = 10'000, .initial = 16, .latency_target = 1s});
  call(size, 2'000, overhead_and_items);
  const uint32_t before = size.size();
  auto dearer = [](double n) { return 1000 + 500 * n; };
  call(size, 10'000, dearer);
  CHECK(size.size() < before / 10);
  call(size, 10'000, overhead_and_items);
  CHECK(size.size() > 500);
}

TEST_CASE("thin batches change nothing") {
  auto size = climb({.initial = 100});
  for (int i = 0; i < 10'000; ++i) CHECK_FALSE(size.add(static_cast<uint64_t>(i % 80), 1ms));
  CHECK(size.size() == 100);
}

TEST_CASE("with noise it still finds at least three quarters of the best rate") {
  for (uint64_t seed : tram::work::test::seeds_from_environment(100)) {
    INFO("TRAM_SEED=", seed);
    Random noise(seed);
    auto size = climb({.max = 10'000, .initial = 16, .latency_target = 1s});
    call(size, 5'000, overhead_and_items, &noise);
    CHECK(rate(size.size(), overhead_and_items) > 0.5 * 0.2);
  }
}

TEST_CASE("hostile numbers leave the size between min and max") {
  for (uint64_t seed : tram::work::test::seeds_from_environment(100)) {
    INFO("TRAM_SEED=", seed);
    Random random(seed);
    const auto min = static_cast<uint32_t>(1 + random.below(50));
    const auto max = static_cast<uint32_t>(random.one_in(4) ? std::numeric_limits<uint32_t>::max()
                                                            : min + random.below(1000));
    auto size = climb(
        {.min = min,
         .max = max,
         .initial = random.one_in(2) ? min : max,
         .latency_target = Duration::from_nanoseconds(1 + static_cast<int64_t>(random.below(1000))),
         .rest_calls = static_cast<uint32_t>(random.below(20))});
    for (int i = 0; i < 2'000; ++i) {
      uint64_t items = random.one_in(3) ? UINT64_MAX : size.size();
      auto latency = static_cast<int64_t>(random.next() >> random.below(64));
      if (auto change = size.add(items, Duration::from_nanoseconds(latency)))
        REQUIRE(change->from != change->to);
      if (size.size() < min || size.size() > max) FAIL(size.size());
    }
  }
}

TEST_CASE("options that cannot be are refused by name") {
  auto why = [](BatchSizeClimb::Options options) {
    auto made = BatchSizeClimb::make(options);
    REQUIRE_FALSE(made);
    return std::string(made.error().detail());
  };
  CHECK(why({.min = 0}) == "min is 0");
  CHECK(why({.min = 9, .max = 8}) == "max is below min");
  CHECK(why({.max = 8, .initial = 9}) == "initial is not between min and max");
  CHECK(why({.latency_target = 0s}) == "latency_target is not above 0");
  CHECK(why({.gain_min = std::nan("")}) == "gain_min is not a share");
  CHECK(why({.calls_min = 0}) == "calls_min is 0");
}
