// Rows of what arrives by the clock, whoever is ready for it: an open loop, in which a request that
// begins late is late by the whole wait.
#include <sys/prctl.h>
#include <sys/resource.h>

#include "parts.h"

#include "tram/work/batcher.h"
#include "tram/work/pool.h"

using namespace tram::work;
using namespace std::chrono_literals;

namespace bench {

namespace {

// Calls arrive(number, due) for `count` arrivals at `rate` a second; looks at the clock every 100
// us.
template <typename Arrive>
void arrivals(uint64_t rate, uint64_t count, Arrive&& arrive) {
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  const auto start = Clock::now();
  for (uint64_t number = 0; number < count;) {
    const double now = seconds_since(start);
    for (double due = 0; number < count; ++number) {
      due = static_cast<double>(number) / static_cast<double>(rate);
      if (due > now) break;
      arrive(number, start + std::chrono::nanoseconds(static_cast<int64_t>(due * 1e9)));
    }
    std::this_thread::sleep_for(100us);
  }
}

int64_t nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

// Processor time of the calling thread so far.
double own_cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double percentile_us(std::vector<int64_t>& ns, double q) {
  const auto at = static_cast<size_t>(q * static_cast<double>(ns.size() - 1));
  std::nth_element(ns.begin(), ns.begin() + static_cast<ptrdiff_t>(at), ns.end());
  return static_cast<double>(ns[at]) / 1000;
}

}  // namespace

// Row 4. Each request looks something up, and with what it found something else. What answers takes
// 1 ms and 5 us for each key of a call; it is simulated by a timer, and its answer is how long that
// really took, so that what a request waited for besides is the library's; `late` is how much of
// that had passed before the request was even handed over, because whoever makes them slept.
void requests(Row& row) {
  const std::string thousands(row.last_word());
  const uint64_t rate = std::stoul(thousands) * 1000;
  Runtime runtime({.workers = workers});
  Batcher<uint64_t, int64_t> look_up(
      runtime, {.max_items = 1000, .inflight = 8}, [](std::span<const uint64_t> keys, Context c) {
        const auto began = Clock::now();
        const size_t count = keys.size();
        auto answer = [began, count] {
          return std::vector<int64_t>(count, nanoseconds_since(began));
        };
        return c.spawn_after(answer, c.sleep(1ms + count * 5us));
      });
  std::vector<int64_t> whole(row.size()), ours(row.size()), late(row.size());
  double producer_cpu = 0;
  const auto start = Clock::now();
  row.timed([&] {
    Scope scope(runtime);
    const double cpu_before = own_cpu_seconds();
    arrivals(rate, row.size(), [&](uint64_t number, Clock::time_point due) {
      late[number] = nanoseconds_since(due);
      scope.spawn([&, number, due](Context c) {
        Unit<int64_t> first = look_up(number, c);
        Unit<int64_t> second = c.spawn_after(
            [&look_up, number](int64_t, Context then) { return look_up(number + 1, then); }, first);
        c.spawn_after(
            [&whole, &ours, number, due](int64_t one, int64_t other) {
              whole[number] = nanoseconds_since(due);
              ours[number] = whole[number] - one - other;
            },
            first, second);
      });
    });
    producer_cpu = own_cpu_seconds() - cpu_before;
    row.check(scope.wait().has_value(), "answered");
  });
  row.check(std::ranges::all_of(ours, [](int64_t ns) { return ns > 0; }), "each had its answers");
  const auto stats = look_up.stats();
  row.note("p50_us", percentile_us(whole, .5));
  row.note("p99_us", percentile_us(whole, .99));
  row.note("library_p50_us", percentile_us(ours, .5));
  row.note("library_p99_us", percentile_us(ours, .99));
  row.note("late_p50_us", percentile_us(late, .5));
  row.note("late_p99_us", percentile_us(late, .99));
  row.note("producer_percent", 100 * producer_cpu / seconds_since(start));
  row.note("items_per_call", static_cast<double>(stats.items) /
                                 static_cast<double>(std::max<uint64_t>(stats.calls, 1)));
}

// Row 22. A pool of adaptive workers, whose jobs block for 5 ms: 1,000 a second for `size` seconds,
// then 20,000, then 1,000 again. settle: when the number of workers last was off by more than 10 %
// of what it was in the last half second.
void autoscale(Row& row) {
  Runtime runtime({.workers = workers, .blocking_max = 512});
  Pool<int, void> pool(runtime,
                       {.workers = Adaptive{.min = 1, .max = 400}, .queue = 1000, .blocking = true},
                       [](int) { std::this_thread::sleep_for(5ms); });
  auto run = pool.open();
  struct Seen {
    double at;
    unsigned workers;
  };
  uint64_t dispatched = 0, refused = 0;
  auto phase = [&](const std::string& name, uint64_t rate) {
    std::vector<Seen> seen;
    const auto start = Clock::now();
    arrivals(rate, rate * row.size(), [&](uint64_t, Clock::time_point) {
      run.try_dispatch(1) ? ++dispatched : ++refused;
      const double at = seconds_since(start);
      if (seen.empty() || at - seen.back().at > .01) seen.push_back({at, run.stats().workers});
    });
    const double end = seen.back().at;
    double sum = 0, count = 0;
    for (const Seen& one : seen) {
      if (end - one.at > .5) continue;
      sum += one.workers;
      ++count;
    }
    const double level = sum / count;
    double settled = 0, most = level, least = level;
    for (const Seen& one : seen) {
      if (std::abs(one.workers - level) > std::max(.1 * level, 1.0)) settled = one.at;
      if (end - one.at > .5) continue;
      most = std::max(most, static_cast<double>(one.workers));
      least = std::min(least, static_cast<double>(one.workers));
    }
    row.note(name + "_workers", level);
    row.note(name + "_settle_s", settled);
    row.note(name + "_swing_percent", 100 * (most - least) / level);
  };
  row.timed([&] {
    phase("low", 1000);
    phase("high", 20'000);
    phase("again", 1000);
  });
  row.note("refused_percent",
           100 * static_cast<double>(refused) / static_cast<double>(refused + dispatched));
  row.check(run.finish().has_value(), "no job failed");
  row.check_equal(run.stats().answered, dispatched, "jobs that were done");
}

}  // namespace bench
