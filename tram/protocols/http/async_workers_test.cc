#include "tram/protocols/http/async_workers.h"

#include <atomic>
#include <doctest/doctest.h>
#include <latch>
#include <thread>
#include <vector>

using tram::protocols::http::AsyncWorkers;

TEST_CASE("async workers that nobody needs have no threads") {
  AsyncWorkers workers({.workers = 8, .queue_max = 4});
  CHECK(workers.threads() == 0);
  REQUIRE(workers.try_dispatch([] {}));
  CHECK(workers.threads() == 8);
  workers.stop();
  CHECK(workers.threads() == 0);
}

TEST_CASE("full async workers refuse at once, and what they accepted is run at the stop") {
  std::latch started(1), go(1);
  AsyncWorkers workers({.workers = 1, .queue_max = 2});
  REQUIRE(workers.try_dispatch([&] {
    started.count_down();
    go.wait();
  }));
  started.wait();
  std::atomic<int> ran = 0;
  CHECK(workers.try_dispatch([&] { ++ran; }));
  CHECK(workers.try_dispatch([&] { ++ran; }));
  CHECK_FALSE(workers.try_dispatch([&] { ++ran; }));
  go.count_down();
  workers.stop();
  CHECK(ran == 2);
  CHECK_FALSE(workers.try_dispatch([&] { ++ran; }));
}

TEST_CASE("every job of async workers runs exactly once, from many loops, until the stop") {
  std::atomic<int> ran = 0, accepted = 0;
  AsyncWorkers workers({.workers = 4, .queue_max = 1000});
  {
    std::vector<std::jthread> loops;
    for (int l = 0; l < 4; ++l)
      loops.emplace_back([&, l] {
        for (int i = 0; i < 5'000; ++i) {
          if (workers.try_dispatch([&ran] { ++ran; })) ++accepted;
          if (l == 0 && i == 4'000) workers.stop();
        }
      });
  }
  workers.stop();
  CHECK(accepted >= 1);
  CHECK(ran == accepted);
}
