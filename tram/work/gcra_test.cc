#include "tram/work/gcra.h"

#include <atomic>
#include <doctest/doctest.h>
#include <thread>
#include <vector>

#include "tram/work/testing/test_seeds.h"

using namespace std::chrono_literals;
using tram::base::Duration;
using tram::base::Random;
using tram::base::Time;
using tram::work::Errc;
using tram::work::Gcra;

namespace {

Time at(Duration since_zero) { return Time() + since_zero; }
Gcra limiter(uint64_t rate, Duration per, uint64_t burst) {
  auto made = Gcra::make({.rate = rate, .per = per, .burst = burst});
  REQUIRE(made);
  return std::move(*made);
}
// How many a caller gets that asks every `step` from the beginning up to `end`.
uint64_t taken(Gcra& limit, Duration end, Duration step) {
  uint64_t count = 0;
  for (Duration t; t < end; t = t + step) count += limit.try_acquire(1, at(t));
  return count;
}

}  // namespace

TEST_CASE("what could never work is refused by name") {
  auto why = [](Gcra::Options options) {
    auto made = Gcra::make(options);
    REQUIRE_FALSE(made);
    CHECK(made.error() == Errc::invalid_argument);
    return std::string(made.error().detail());
  };
  CHECK(why({.rate = 0}).starts_with("rate is 0"));
  CHECK(why({.rate = 1, .burst = 0}).starts_with("burst is 0"));
  CHECK(why({.rate = 1, .per = 0s}) == "per is not above 0");
  CHECK(why({.rate = 1, .per = -1s}) == "per is not above 0");
  CHECK(why({.rate = 1, .per = Duration::forever()}) == "per is above ten years");
  CHECK(why({.rate = 2, .per = 1ns}) == "rate is above one token per nanosecond");
  CHECK(why({.rate = UINT64_MAX}) == "rate is above one token per nanosecond");
}

TEST_CASE("a burst goes at once, then one token each interval") {
  Gcra limit = limiter(10, 1s, 3);
  CHECK(limit.try_acquire(2, at(5s)));
  CHECK(limit.try_acquire(1, at(5s)));
  CHECK_FALSE(limit.try_acquire(1, at(5s)));
  CHECK_FALSE(limit.try_acquire(1, at(5s + 100ms - 1ns)));
  CHECK(limit.try_acquire(1, at(5s + 100ms)));
  CHECK_FALSE(limit.try_acquire(1, at(5s + 100ms)));
  CHECK(limit.try_acquire(3, at(1h)));
  CHECK_FALSE(limit.try_acquire(1, at(1h)));
}

TEST_CASE("nothing drifts: the count is exact, whether or not the rate divides the time") {
  struct Case {
    uint64_t rate;
    Duration per, run, step;
    uint64_t tokens;  // The first at 0, then one whenever the next is due.
  };
  const Case cases[] = {
      {500, 1s, 60s, 100us, 30'000}, {3, 1s, 600s, 1ms, 1'800},         {7, 1s, 600s, 1ms, 4'200},
      {30'011, 1s, 2s, 1us, 60'022}, {999'983, 1s, 1s, 100ns, 999'983}, {7, 13s, 1300s, 1ms, 700},
      {1, 24h, 240h, 1min, 10},
  };
  for (const Case& c : cases) {
    CAPTURE(c.rate);
    Gcra limit = limiter(c.rate, c.per, 1);
    // Asked only each step, and a token that is due between two steps goes at the later: without a
    // bucket that costs up to a step each time, so the bucket holds a few.
    Gcra bucket = limiter(c.rate, c.per, 4);
    CHECK(taken(bucket, c.run, c.step) >= c.tokens + 3);
    CHECK(taken(bucket, c.run, c.step) == 0);  // Time that goes back gives nothing.
    uint64_t waited = 0;
    for (Time now = at(0s); now < at(c.run); now = limit.next_free(1, now), ++waited)
      if (!limit.try_acquire(1, now)) FAIL(now.nanoseconds());
    CHECK(waited == c.tokens);
  }
}

TEST_CASE("500 a second is 500 a second for a year, to the token") {
  Gcra odd = limiter(499, 1s, 1);
  const Time year = at(24h * 365);
  uint64_t reserved = 0;
  // By reservations of 1, ahead of time, from a few moments only.
  for (Time now = at(0s); now < at(60s); now = now + Duration(1s))
    for (int i = 0; i < 499; ++i, ++reserved) {
      Time turn = odd.acquire_at(1, now);
      REQUIRE(turn.nanoseconds() == static_cast<int64_t>((reserved * 1'000'000'000 + 498) / 499));
    }
  CHECK(odd.try_acquire(1, year));
  CHECK_FALSE(odd.try_acquire(1, year));
  // After a year the interval is what it was at first: the same two nanoseconds.
  CHECK(odd.next_free(1, year) - year >= Duration(2'004'008ns));
  CHECK(odd.next_free(1, year) - year <= Duration(2'004'010ns));
}

TEST_CASE("a reservation says when its turn is, and pushes back those who come later") {
  Gcra limit = limiter(10, 1s, 2);
  CHECK(limit.acquire_at(2, at(1s)) == at(1s));
  CHECK(limit.acquire_at(1, at(1s)) == at(1100ms));
  CHECK(limit.acquire_at(2, at(1s)) == at(1300ms));
  CHECK(limit.next_free(1, at(1s)) == at(1400ms));
  CHECK(limit.next_free(1, at(1s)) == at(1400ms));  // Asking takes nothing.
  CHECK_FALSE(limit.try_acquire(1, at(1300ms)));    // Nobody overtakes a reservation.
  CHECK(limit.try_acquire(1, at(1400ms)));
}

TEST_CASE("tokens that are given back go to the next who asks, and never make more than a burst") {
  Gcra limit = limiter(10, 1s, 2);
  CHECK(limit.acquire_at(2, at(1s)) == at(1s));
  CHECK(limit.acquire_at(1, at(1s)) == at(1100ms));
  limit.give_back(1);
  CHECK(limit.next_free(1, at(1s)) == at(1100ms));
  limit.give_back(UINT64_MAX);
  CHECK(limit.try_acquire(2, at(1s)));
  CHECK_FALSE(limit.try_acquire(1, at(1s)));
}

TEST_CASE("a pause holds to its end, then one token goes and not a burst") {
  Gcra limit = limiter(10, 1s, 5);
  limit.pause_until(at(3s));
  CHECK_FALSE(limit.try_acquire(1, at(3s - 1ns)));
  CHECK(limit.next_free(1, at(0s)) == at(3s));
  limit.pause_until(at(2s));  // Shorter: the longer one stands.
  limit.give_back(100);       // Nor do tokens that come back end it.
  CHECK_FALSE(limit.try_acquire(1, at(3s - 1ns)));
  CHECK(limit.try_acquire(1, at(3s)));
  CHECK_FALSE(limit.try_acquire(1, at(3s)));
  CHECK(limit.try_acquire(5, at(4s)));
  limit.pause_until(at(1s));  // Long over: nothing that anybody sees.
  CHECK(limit.next_free(5, at(4s)) == at(4500ms));
}

TEST_CASE("hostile numbers are refused or held, and nothing wraps") {
  Gcra limit = limiter(10, 1s, 5);
  CHECK_FALSE(limit.try_acquire(6, at(1s)));
  CHECK_FALSE(limit.try_acquire(UINT64_MAX, at(1s)));
  CHECK(limit.acquire_at(UINT64_MAX, at(1s)) == Time::never());
  CHECK(limit.next_free(6, at(1s)) == Time::never());
  CHECK(limit.try_acquire(0, at(1s)));
  CHECK(limit.try_acquire(5, Time::from_nanoseconds(INT64_MIN)));  // As at zero.
  CHECK_FALSE(limit.try_acquire(1, Time::from_nanoseconds(INT64_MIN)));

  Gcra at_the_end = limiter(3, 1s, 5);
  CHECK(at_the_end.try_acquire(5, Time::never()));
  CHECK_FALSE(at_the_end.try_acquire(1, Time::never()));
  CHECK(at_the_end.acquire_at(1, Time::never()) == Time::never());

  Gcra for_ever = limiter(3, 1s, 5);
  for_ever.pause_until(Time::never());
  CHECK_FALSE(for_ever.try_acquire(1, at(1h)));
  CHECK(for_ever.acquire_at(1, at(1h)) == Time::never());
  CHECK(for_ever.next_free(5, at(1h)) == Time::never());

  Gcra wide = limiter(1, 24h * 3650, UINT64_MAX);
  CHECK(wide.burst() >= 14);
  CHECK(wide.try_acquire(wide.burst(), at(0s)));
  CHECK_FALSE(wide.try_acquire(1, at(0s)));
  uint64_t reserved = 0;  // It ends, and where it ends nothing is given away.
  while (wide.acquire_at(1, at(0s)) != Time::never()) REQUIRE(++reserved < 100);
  CHECK_FALSE(wide.try_acquire(1, at(0s)));
}

TEST_CASE("in no stretch of time does more go than burst and rate allow, whatever is asked") {
  for (uint64_t seed : tram::work::test::seeds_from_environment(300)) {
    INFO("TRAM_SEED=", seed);
    Random random(seed);
    const uint64_t rate = 1 + random.below(seed % 2 ? 50 : 2'000'000);
    const uint64_t burst = 1 + random.below(20);
    const auto per = static_cast<int64_t>(2'000'000 + random.below(3'000'000'000));
    Gcra limit = limiter(rate, Duration::from_nanoseconds(per), burst);
    struct Gone {
      int64_t when;
      uint64_t n;
    };
    std::vector<Gone> gone;
    int64_t now = static_cast<int64_t>(random.below(1'000'000'000'000));
    const auto step = static_cast<uint64_t>(per) * burst / rate + 2;
    for (int i = 0; i < 120; ++i) {
      now += static_cast<int64_t>(random.one_in(3) ? 0 : random.below(step));
      uint64_t n = 1 + random.below(burst + 1);
      Time asked = Time::from_nanoseconds(now);
      Time promised = limit.next_free(n, asked);
      bool went = limit.try_acquire(n, asked);
      REQUIRE(went == (promised == asked));
      if (went)
        gone.push_back({now, n});
      else if (random.one_in(4) && promised != Time::never()) {
        // What next_free promised holds to the nanosecond.
        REQUIRE_FALSE(limit.try_acquire(n, promised - Duration(3ns)));
        REQUIRE(limit.try_acquire(n, promised));
        now = promised.nanoseconds();
        gone.push_back({now, n});
      }
    }
    for (size_t i = 0; i < gone.size(); ++i) {
      uint64_t sum = 0;
      for (size_t j = i; j < gone.size(); ++j) {
        sum += gone[j].n;
        // A unit is up to two nanoseconds, and both ends may be rounded by one.
        auto window = static_cast<tram::base::Wide>(gone[j].when - gone[i].when) + 4;
        REQUIRE(static_cast<tram::base::Wide>(sum - std::min(sum, burst)) *
                    static_cast<tram::base::Wide>(per) <=
                window * rate);
      }
    }
  }
}

TEST_CASE("threads together get what one would have got, not a token more") {
  Gcra limit = limiter(1'000, 1s, 100);
  std::atomic<int64_t> clock = 0;
  std::atomic<uint64_t> total = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        uint64_t mine = 0;
        for (int i = 0; i < 20'000; ++i) {
          Time now = Time::from_nanoseconds(clock.fetch_add(100'000));  // 8 s in all.
          if (!limit.try_acquire(1, now)) continue;
          if (i % 16 == 0)
            limit.give_back(1);
          else
            ++mine;
        }
        total += mine;
      });
  }
  const uint64_t all = 100 + 8'000;
  CHECK(total <= all);
  CHECK(total >= all - all / 100);
}
