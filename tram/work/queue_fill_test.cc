// ByQueueFill, the law of LimitController for workers behind a queue.
#include <array>
#include <cmath>
#include <doctest/doctest.h>
#include <functional>
#include <queue>
#include <vector>

#include "tram/base/random.h"
#include "tram/work/limit_controller.h"
#include "tram/work/testing/test_seeds.h"

using namespace std::chrono_literals;
using namespace tram::work;
using tram::base::Duration;
using tram::base::Random;
using tram::base::Time;
using tram::work::test::seeds_from_environment;

namespace {

LimitController by_fill(uint32_t min, uint32_t max, uint32_t initial) {
  auto made = LimitController::make(
      {.algorithm = ByQueueFill{}, .min = min, .max = max, .initial = initial});
  REQUIRE(made);
  return *made;
}

// The same for a while, each 10 ms.
struct Observed {
  LimitController law;
  Time now = Time();

  void stay(uint64_t waiting, uint64_t capacity, uint32_t busy, Duration stretch) {
    for (const Time end = now + stretch; now < end; now = now + Duration(10ms))
      law.observe_queue(waiting, capacity, busy, now);
  }
};

// A queue with room for 1,000 before the workers, jobs that come by chance, and a hand-wound clock.
struct Load {
  std::function<double(double)> jobs_per_second;
  double job_seconds = 0.005;  // Within 10 %.
};
struct Run {
  struct Look {
    double at;
    uint32_t workers;
  };
  std::vector<Look> looks;  // Each 10 ms.
  double came = 0, refused = 0;

  uint32_t workers(double at) const { return looks[static_cast<size_t>(at * 100)].workers; }
  // To swing is to take back what was given up. Fewer and fewer is not.
  bool grew(double from, double to) const {
    for (double at = from; at < to; at += 0.01)
      if (workers(at + 0.01) > workers(at)) return true;
    return false;
  }
};

Run run(const Load& load, double seconds, uint64_t seed) {
  constexpr size_t room = 1000;
  Random random(seed);
  auto chance = [&] { return (static_cast<double>(random.below(1 << 30)) + 0.5) / (1 << 30); };
  LimitController law = by_fill(1, 1000, 1);
  Run seen;
  std::priority_queue<double, std::vector<double>, std::greater<>> busy_until;
  size_t waiting = 0;
  double arrival = 0, look = 0;
  while (true) {
    const double ends = busy_until.empty() ? HUGE_VAL : busy_until.top();
    const double now = std::min({arrival, ends, look});
    if (now >= seconds) return seen;
    if (now == look) {
      seen.looks.push_back({now, law.limit()});
      look += 0.01;
      continue;
    }
    if (now == ends) {
      busy_until.pop();
    } else {
      ++seen.came;
      arrival = now - std::log(chance()) / load.jobs_per_second(now);
      waiting < room ? ++waiting : static_cast<size_t>(++seen.refused);
    }
    law.observe_queue(waiting, room, static_cast<uint32_t>(busy_until.size()),
                      Time::from_nanoseconds(static_cast<int64_t>(now * 1e9)));
    for (; waiting > 0 && busy_until.size() < law.limit(); --waiting)
      busy_until.push(now + load.job_seconds * (0.9 + 0.2 * chance()));
  }
}

}  // namespace

TEST_CASE("a queue that is four fifths full brings workers") {
  Observed pool{by_fill(2, 40, 4)};
  pool.stay(85, 100, 4, 150ms);  // In whole numbers 85 / 100 is 0, and would only ever take.
  CHECK(pool.law.limit() == 8);
  pool.stay(85, 100, 8, 2s);
  CHECK(pool.law.limit() == 40);
  SUBCASE("and one that is half full changes nothing") {
    pool.stay(50, 100, 0, 10s);
    CHECK(pool.law.limit() == 40);
  }
  SUBCASE("and what has no room says nothing") {
    pool.stay(0, 0, 0, 10s);
    CHECK(pool.law.limit() == 40);
  }
  SUBCASE("and one that is empty takes those that nobody needs") {
    pool.stay(1, 100, 10, 10s);
    CHECK(pool.law.limit() == 13);
    pool.stay(1, 100, 0, 10s);
    CHECK(pool.law.limit() == 2);
  }
  SUBCASE("and a lull, or a moment when all were busy, takes none") {
    for (int i = 0; i < 50; ++i) {
      pool.stay(1, 100, 0, 300ms);
      pool.stay(1, 100, 40, 100ms);
    }
    CHECK(pool.law.limit() == 40);
  }
}

TEST_CASE("more that wait than there is room for is a full queue, and samples are ignored") {
  Observed pool{by_fill(2, 40, 4)};
  pool.stay(UINT64_MAX, 1, 4, 10s);
  CHECK(pool.law.limit() == 40);
  pool.law.add({.latency = 1h, .outcome = Outcome::timed_out}, pool.now);
  CHECK(pool.law.limit() == 40);
}

TEST_CASE("a steady load has a steady number of workers, found in a second and a half") {
  constexpr double stretch = 4;
  constexpr std::array<double, 4> loads = {20'000, 1'000, 50'000, 1'000};
  for (uint64_t seed : seeds_from_environment(20, {})) {
    INFO("TRAM_SEED=", seed);
    const Run seen =
        run({.jobs_per_second = [&](double t) { return loads[static_cast<size_t>(t / stretch)]; }},
            stretch * loads.size(), seed);
    for (size_t i = 0; i < loads.size(); ++i) {
      INFO("load ", i);
      const double begin = static_cast<double>(i) * stretch, end = begin + stretch - 0.1;
      const double busy = loads[i] * 0.005;
      CHECK_FALSE(seen.grew(begin + 1.5, end));
      CHECK(seen.workers(begin + 1.5) >= busy);
      CHECK(seen.workers(begin + 1.5) <= 2 * busy + 20);
      CHECK(seen.workers(end) >= busy);
    }
    CHECK(seen.refused < 0.15 * seen.came);
  }
}

TEST_CASE("a load a little above what the workers do brings more of them once") {
  for (uint64_t seed : seeds_from_environment(20, {})) {
    INFO("TRAM_SEED=", seed);
    // 16 workers are 3,200 a second.
    const Run seen = run({.jobs_per_second = [](double) { return 3'300.0; }}, 30, seed);
    CHECK_FALSE(seen.grew(15, 29.9));
    CHECK(seen.workers(29.9) > 16);
    CHECK(seen.workers(29.9) <= 48);
  }
}
