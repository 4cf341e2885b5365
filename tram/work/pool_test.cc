#include "tram/work/pool.h"

#include <atomic>
#include <doctest/doctest.h>
#include <latch>
#include <vector>

using tram::work::Pool;

TEST_CASE("jobs of one worker run in the order of their submission, and stop waits for them") {
  std::vector<int> ran;
  Pool pool({.workers = 1, .queue_max = 100});
  for (int i = 0; i < 100; ++i) REQUIRE(pool.try_dispatch([&ran, i] { ran.push_back(i); }));
  pool.stop();
  REQUIRE(ran.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(ran[static_cast<size_t>(i)] == i);
}

TEST_CASE("a full pool refuses at once, and takes work again when there is room") {
  std::latch started(1), go(1);
  Pool pool({.workers = 1, .queue_max = 2});
  REQUIRE(pool.try_dispatch([&] {
    started.count_down();
    go.wait();
  }));
  started.wait();
  std::atomic<int> ran = 0;
  CHECK(pool.try_dispatch([&] { ++ran; }));
  CHECK(pool.try_dispatch([&] { ++ran; }));
  CHECK_FALSE(pool.try_dispatch([&] { ++ran; }));
  CHECK(pool.waiting() == 2);
  go.count_down();
  pool.stop();
  CHECK(ran == 2);
  CHECK_FALSE(pool.try_dispatch([&] { ++ran; }));
}

TEST_CASE("every job runs exactly once, from many producers on many workers") {
  std::atomic<int> ran = 0;
  Pool pool({.workers = 4, .queue_max = 1'000'000});
  {
    std::vector<std::jthread> producers;
    for (int p = 0; p < 4; ++p)
      producers.emplace_back([&] {
        for (int i = 0; i < 10'000; ++i) REQUIRE(pool.try_dispatch([&ran] { ++ran; }));
      });
  }
  pool.stop();
  CHECK(ran == 40'000);
}
