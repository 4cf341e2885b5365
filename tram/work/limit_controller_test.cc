#include "tram/work/limit_controller.h"

#include <cmath>
#include <doctest/doctest.h>
#include <vector>

#include "tram/base/random.h"
#include "tram/work/testing/limit_simulation.h"
#include "tram/work/testing/test_seeds.h"

using namespace std::chrono_literals;
using namespace tram::work;
using tram::base::Duration;
using tram::base::Random;
using tram::base::Time;
using tram::work::simulation::Downstream;
using tram::work::simulation::History;
using tram::work::simulation::Simulation;
using tram::work::test::seeds_from_environment;

namespace {

LimitController controller(LimitOptions options) {
  auto made = LimitController::make(options);
  REQUIRE(made);
  return *made;
}
LimitController adaptive() { return controller({.min = 4, .max = 256, .initial = 16}); }

// Keeps every change, and holds each to what is promised of all.
struct Watched {
  LimitController law;
  uint32_t min, max;
  std::vector<LimitChange> changes;

  uint32_t limit() const { return law.limit(); }
  void add(const LimitController::Sample& sample, Time now) {
    const uint32_t before = law.limit();
    auto change = law.add(sample, now);
    const bool within = law.limit() >= min && law.limit() <= max;
    const bool told = change.has_value() == (before != law.limit());
    // Asked only if it is false, since there are millions.
    if (!within || !told) REQUIRE_MESSAGE((within && told), before, " -> ", law.limit());
    if (!change) return;
    REQUIRE(change->from == before);
    REQUIRE(change->to == law.limit());
    if (change->reason == LimitReason::drops || change->reason == LimitReason::latency ||
        change->reason == LimitReason::dip)
      REQUIRE(change->to < change->from);
    changes.push_back(*change);
  }
};

// Twenty servers of 10 ms: 2,000 a second, and twice that arrives.
constexpr double capacity = 2000;
History run(Downstream downstream, double seconds, uint64_t seed) {
  Watched watched{adaptive(), 4, 256, {}};
  return Simulation<Watched>(watched, std::move(downstream), seed).run(seconds);
}
// What 99 in 100 take at most when nothing waits: 10 ms and 10 % of noise.
constexpr double unloaded_p99 = 0.011;

// Feeds windows of constant latency with the limit fully used, or partly.
void feed(LimitController& law, Time& now, Duration latency, Duration stretch, double used = 1,
          Outcome outcome = Outcome::ok) {
  const Time end = now + stretch;
  while (now < end) {
    now = now + Duration(1ms);
    law.add({.latency = latency,
             .in_flight = static_cast<uint32_t>(std::ceil(law.limit() * used)),
             .outcome = outcome},
            now);
  }
}

}  // namespace

TEST_CASE("under twice the load a downstream is kept busy, and nothing waits long") {
  for (uint64_t seed : seeds_from_environment(3)) {
    INFO("TRAM_SEED=", seed);
    History history = run({}, 30, seed);
    CHECK(history.answered_per_second(2, 30) >= 0.9 * capacity);
    CHECK(history.latency_quantile(0.99, 2, 30) <= 2 * unloaded_p99);
  }
}

TEST_CASE("when the downstream slows four times the limit does not collapse, and it recovers") {
  for (uint64_t seed : seeds_from_environment(3)) {
    INFO("TRAM_SEED=", seed);
    Downstream slow;
    slow.slowness = [](double t) { return t >= 10 && t < 23 ? 4 : 1; };
    History history = run(slow, 32, seed);
    CHECK(history.answered_per_second(12, 23) >= 0.9 * capacity / 4);
    CHECK(history.latency_quantile(0.99, 12, 23) <= 2 * 4 * unloaded_p99);
    CHECK(history.answered_per_second(23, 25) >= 0.9 * capacity);
    CHECK(history.latency_quantile(0.99, 25, 32) <= 2 * unloaded_p99);
  }
}

TEST_CASE("when three quarters of the servers go, the rest are kept busy, and it recovers") {
  for (uint64_t seed : seeds_from_environment(3)) {
    INFO("TRAM_SEED=", seed);
    Downstream fewer;
    fewer.servers_missing = [](double t) { return t >= 10 && t < 20 ? 15 : 0; };
    History history = run(fewer, 32, seed);
    CHECK(history.answered_per_second(11, 20) >= 0.9 * capacity / 4);
    CHECK(history.answered_per_second(20, 22) >= 0.9 * capacity);
    CHECK(history.latency_quantile(0.99, 22, 32) <= 2 * unloaded_p99);
  }
}

TEST_CASE("when the way gets longer the limit grows to what keeps the servers busy") {
  for (uint64_t seed : seeds_from_environment(3)) {
    INFO("TRAM_SEED=", seed);
    Downstream far;
    far.delay_seconds = [](double t) { return t >= 10 && t < 30 ? 0.03 : 0; };
    History history = run(far, 40, seed);
    CHECK(history.answered_per_second(14, 30) >= 0.9 * capacity);
    CHECK(history.answered_per_second(30, 40) >= 0.9 * capacity);
  }
}

TEST_CASE("constant time-outs bring the limit to its minimum, and it comes back in two seconds") {
  for (uint64_t seed : seeds_from_environment(3)) {
    INFO("TRAM_SEED=", seed);
    Downstream lost;
    lost.lost = [](double t) { return t >= 10 && t < 30; };
    History history = run(lost, 40, seed);
    CHECK(history.limit_max(20, 30) == 4);
    CHECK(history.answered_per_second(32, 40) >= 0.9 * capacity);
  }
}

TEST_CASE("time-outs alone never raise the limit, however steady they are") {
  LimitController law = adaptive();
  Time now;
  feed(law, now, 10ms, 5s);
  CHECK(law.limit() > 100);
  uint32_t last = law.limit();
  for (int i = 0; i < 1'000; ++i) {
    feed(law, now, 5s, 1s, 1, i % 2 ? Outcome::timed_out : Outcome::overloaded);
    REQUIRE(law.limit() <= last);
    last = law.limit();
  }
  CHECK(law.limit() == 4);
  CHECK(law.baseline() < Duration(11ms));  // No sample was made of them.
}

TEST_CASE("a few drops among many answers are noise, more are not") {
  LimitController law = adaptive();
  Time now;
  feed(law, now, 10ms, 1s);
  for (int i = 0; i < 10'000; ++i) {
    now = now + Duration(1ms);
    auto change = law.add({.latency = 10ms,
                           .in_flight = law.limit(),
                           .outcome = i % 100 ? Outcome::ok : Outcome::timed_out},
                          now);
    if (change) REQUIRE(change->reason != LimitReason::drops);
  }
  const uint32_t before = law.limit();
  feed(law, now, 10ms, 50ms, 1, Outcome::overloaded);
  CHECK(law.limit() < before);
}

TEST_CASE("one round of time-outs is one step down, not one for each of them") {
  LimitController law = controller({.min = 1, .max = 1000, .initial = 100});
  Time now = Time() + Duration(10s);
  // A hundred that began together and end together.
  for (int i = 0; i < 100; ++i)
    law.add({.latency = 500ms, .in_flight = 100, .outcome = Outcome::timed_out}, now);
  CHECK(law.limit() == 70);
}

TEST_CASE("cancelled work says nothing") {
  LimitController law = adaptive();
  Time now;
  feed(law, now, 10ms, 10s, 1, Outcome::cancelled);
  CHECK(law.limit() == 16);
  CHECK(law.baseline() == Duration());
}

TEST_CASE("what is not used does not grow, from half on it does") {
  LimitController law = adaptive();
  Time now;
  feed(law, now, 10ms, 1h, 0.4);
  CHECK(law.limit() == 16);
  feed(law, now, 10ms, 1s, 0.5);
  CHECK(law.limit() > 16);
}

TEST_CASE("growth ends gently: near what is tolerated a step is small") {
  LimitController law = controller({.max = 1000, .initial = 100});
  Time now;
  feed(law, now, 10ms, 60ms);
  const uint32_t before = law.limit();
  CHECK(before == 110);
  feed(law, now, 14ms, 130ms);  // Two windows; 15 ms is the end.
  CHECK(law.limit() > before);
  CHECK(law.limit() <= before + 4);
}

TEST_CASE(
    "with the ratio below one no window ends with more, but by taking back what was in vain") {
  LimitController law = adaptive();
  Time now;
  feed(law, now, 10ms, 500ms);
  // Latency that follows the limit as a queue's would, always a quarter above what is tolerated.
  for (int i = 0; i < 100'000; ++i) {
    now = now + Duration(1ms);
    const double ratio = 1.5 * law.baseline().seconds() / 0.8;
    auto change = law.add({.latency = Duration::from_nanoseconds(std::llround(ratio * 1e9)),
                           .in_flight = law.limit()},
                          now);
    if (change) REQUIRE(change->reason != LimitReason::headroom);
  }
}

TEST_CASE("a modest overload does not raise the limit for ever") {
  for (uint64_t seed : seeds_from_environment(2)) {
    INFO("TRAM_SEED=", seed);
    Downstream modest;
    modest.arrivals_per_second = [](double) { return 1.1 * capacity; };
    History history = run(modest, 300, seed);
    CHECK(history.answered_per_second(10, 300) >= 0.9 * capacity);
    CHECK(history.latency_quantile(0.99, 200, 300) <= 2.5 * unloaded_p99);
    CHECK(history.limit_mean(200, 300) <= history.limit_mean(10, 100) * 1.2);
  }
}

TEST_CASE("four hours of overload end as they began: the baseline does not drift") {
  Downstream overloaded;  // Smaller, so that hours are soon over: 25 a second.
  overloaded.servers = 5;
  overloaded.service_seconds = 0.2;
  overloaded.arrivals_per_second = [](double) { return 50; };
  Watched watched{controller({.min = 1, .max = 256, .initial = 4}), 1, 256, {}};
  History history = Simulation<Watched>(watched, overloaded, 1).run(4 * 3600, false);
  const double at_first = history.limit_mean(60, 1800);
  CHECK(at_first < 10);
  CHECK(at_first > 5);
  CHECK(history.limit_mean(3.5 * 3600, 4 * 3600) <= at_first * 1.1);
  CHECK(history.limit_mean(3.5 * 3600, 4 * 3600) >= at_first * 0.9);
  CHECK(history.limit_max(60, 4 * 3600) < 20);
}

TEST_CASE("workers follow a step from 1,000 to 50,000 a second and back within two seconds") {
  for (uint64_t seed : seeds_from_environment(1)) {
    INFO("TRAM_SEED=", seed);
    Downstream bodies;  // Blocking for 5 ms, and as many at once as one likes.
    bodies.servers = 2000;
    bodies.service_seconds = 0.005;
    bodies.arrivals_per_second = [](double t) { return t >= 5 && t < 12 ? 50'000. : 1'000.; };
    Watched watched{
        controller(
            {.algorithm = Gradient{.shrink_unused = true}, .min = 2, .max = 1000, .initial = 4}),
        2,
        1000,
        {}};
    History history = Simulation<Watched>(watched, bodies, seed).run(20);
    CHECK(history.answered_per_second(2, 5) >= 0.95 * 1'000);
    CHECK(history.answered_per_second(7, 12) >= 0.99 * 50'000);
    CHECK(history.limit_min(7, 12) >= 250);
    CHECK(history.limit_max(14, 20) <= 60);  // Of five that are needed, twelve at times.
    CHECK(history.answered_per_second(14, 20) >= 0.95 * 1'000);
    // Oscillation is going back: by less than a tenth while the load stands still.
    uint32_t most = 0;
    for (const auto& look : history.limits)
      if (look.at >= 7 && look.at < 12) {
        most = std::max(most, look.limit);
        REQUIRE(look.limit >= 0.9 * most);
      }
  }
}

TEST_CASE("a fixed limit is fixed") {
  LimitController law = controller({.algorithm = Fixed{}, .initial = 7});
  Time now;
  feed(law, now, 1s, 10s, 1, Outcome::timed_out);
  feed(law, now, 1ms, 10s);
  law.observe_queue(1, 1, 1, now);
  CHECK(law.limit() == 7);
}

TEST_CASE("whatever it is fed, the limit stays between min and max and every change is told") {
  for (uint64_t seed : seeds_from_environment(200, {131})) {
    INFO("TRAM_SEED=", seed);
    Random random(seed);
    const auto min = static_cast<uint32_t>(1 + random.below(20));
    const auto max = static_cast<uint32_t>(
        random.one_in(4) ? UINT32_MAX : min + random.below(random.one_in(3) ? 1 : 1000));
    Watched watched{
        controller(
            {.algorithm = Gradient{.samples_min = static_cast<uint32_t>(1 + random.below(128)),
                                   .window = Duration::from_nanoseconds(
                                       static_cast<int64_t>(random.below(100'000'000))),
                                   .shrink_unused = random.one_in(2)},
             .min = min,
             .max = max,
             .initial = random.one_in(2) ? min : max}),
        min,
        max,
        {}};
    int64_t now = static_cast<int64_t>(random.next());
    for (int i = 0; i < 5'000; ++i) {
      if (random.one_in(100)) now = static_cast<int64_t>(random.next());  // Also back, and never.
      now = tram::base::add_saturating(now, static_cast<int64_t>(random.below(10'000'000)));
      watched.add({.latency = Duration::from_nanoseconds(
                       static_cast<int64_t>(random.next() >> random.below(64))),
                   .in_flight = static_cast<uint32_t>(random.next() >> random.below(64)),
                   .outcome = static_cast<Outcome>(random.one_in(3) ? random.below(4) : 0)},
                  Time::from_nanoseconds(now));
      if (watched.law.baseline() < Duration()) REQUIRE(watched.law.baseline() >= Duration());
    }
  }
}

TEST_CASE("options of a limit that cannot be are refused by name") {
  auto why = [](LimitOptions options) {
    auto made = LimitController::make(options);
    REQUIRE_FALSE(made);
    CHECK(made.error() == Errc::invalid_argument);
    return std::string(made.error().detail());
  };
  const double nan = std::nan("");
  CHECK(why({.min = 0}) == "min is 0");
  CHECK(why({.min = 9, .max = 8}) == "max is below min");
  CHECK(why({.min = 9, .initial = 8}) == "initial is not between min and max");
  CHECK(why({.algorithm = Gradient{.tolerance = nan}}) == "tolerance is not above 1");
  CHECK(why({.algorithm = Gradient{.back_off = 1}}) == "back_off is not between 0 and 1");
  CHECK(why({.algorithm = Gradient{.drop_share_max = -1}}) == "drop_share_max is not a share");
  CHECK(why({.algorithm = Gradient{.samples_min = 129}}) == "samples_min is not 1 to 128");
  CHECK(why({.algorithm = Gradient{.window = -1s}}) == "window is below 0");
  CHECK(why({.algorithm = Gradient{.baseline_rise = 0s}}) == "baseline_rise is not above 0");
  CHECK(why({.algorithm = Gradient{.dip_every = 0s}}) == "dip_every is not above 0");
  CHECK(why({.algorithm = ByQueueFill{.high = nan}}) ==
        "low and high are not shares, low below high");
  CHECK(why({.algorithm = ByQueueFill{.period = 0s}}) == "period is not above 0");
}
