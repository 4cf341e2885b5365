#include "tram/work/pipeline.h"

#include <atomic>
#include <barrier>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>

#include "tram/base/random.h"
#include "tram/work/channel.h"
#include "tram/work/pool.h"
#include "tram/work/testing/everywhere.h"

using namespace tram::work;
using namespace std::chrono_literals;
using tram::base::Duration;
using tram::base::Random;
using tram::work::test::everywhere;
using tram::work::test::in_simulation;

namespace {

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// Where two threads are in it at once, a test is wrong.
struct Alone {
  explicit Alone(std::atomic<int>& inside) : count(inside) { CHECK(++count == 1); }
  ~Alone() { --count; }
  std::atomic<int>& count;
};

}  // namespace

TEST_CASE("items go through typed stages to one result") {
  everywhere([](Runtime& runtime) {
    Result<size_t> letters = from(numbers(100))                                             //
                             | stage("write", {}, [](int n) { return std::to_string(n); })  //
                             | stage("measure", {}, [](const std::string& s) { return s.size(); }) |
                             fold(size_t{0}, std::plus<>()) | run(runtime);
    CHECK(letters == 190);
    std::vector<std::unique_ptr<int>> movable;
    for (int i = 0; i < 10; ++i) movable.push_back(std::make_unique<int>(i));
    auto sum = from(std::move(movable)) |
               stage("keep", {}, [](std::unique_ptr<int> n) { return n; }) |
               fold(0, [](int& kept, std::unique_ptr<int> n) { kept += *n; }) | run(runtime);
    CHECK(sum == 45);
  });
}

TEST_CASE("a pipeline without items, and one without stages, end") {
  everywhere([](Runtime& runtime) {
    CHECK((from(std::vector<int>()) | stage("same", {}, [](int n) { return n; }) | collect() |
           run(runtime)) == std::vector<int>());
    CHECK((from(numbers(5)) | collect() | run(runtime)) == numbers(5));
    int seen = 0;
    Result<void> done =
        from([] { return std::optional<int>(); }) | for_each([&](int) { ++seen; }) | run(runtime);
    CHECK(done.has_value());
    CHECK(seen == 0);
  });
}

TEST_CASE("the end sees items in the order of the source, whatever the stages do") {
  in_simulation(
      [](Runtime& runtime) {
        auto out = from(numbers(60)) |
                   stage("slow", {.workers = 5, .queue = 3},
                         [](int n, Context c) {
                           c.sleep(Duration::from_milliseconds(n * 37 % 11)).value();
                           return n;
                         }) |
                   collect() | run(runtime);
        CHECK(out == numbers(60));
      },
      50);
  everywhere([](Runtime& runtime) {
    std::atomic<int> inside = 0;
    int next = 0;
    Result<void> done = from(numbers(500)) | stage("a", {.workers = 4}, [](int n) { return n; }) |
                        stage("in turn", {.workers = 1, .ordered = true},
                              [&](int n) {
                                Alone alone(inside);
                                CHECK(n == next++);
                                return n;
                              }) |
                        stage("b", {.workers = 4, .queue = 0}, [](int n) { return n; }) |
                        for_each([](int) {}) | run(runtime, {.window = 16});
    CHECK(done.has_value());
    CHECK(next == 500);
  });
}

TEST_CASE("the source is called by one thread at a time, also a mutable one") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> inside = 0;
    auto sum = from([&, n = 0]() mutable -> std::optional<int> {
                 Alone alone(inside);
                 return n < 300 ? std::optional(n++) : std::nullopt;
               }) |
               stage("same", {.workers = 8}, [](int n) { return n; }) |
               fold(0, [](int kept, int n) { return kept + n; }, {.ordered = false}) | run(runtime);
    CHECK(sum == 299 * 300 / 2);
  });
}

TEST_CASE("no more items are under way than the window, and no more bodies run than was said") {
  in_simulation([](Runtime& runtime) {
    for (size_t window : {size_t{1}, size_t{2}, size_t{7}}) {
      int under_way = 0, most = 0, inside = 0, most_inside = 0;
      PipelineStats stats;
      auto out = from([&, n = 0]() mutable -> std::optional<int> {
                   if (n == 50) return std::nullopt;
                   most = std::max(most, ++under_way);
                   return n++;
                 }) |
                 stage("wait", {.workers = 3},
                       [&](int n, Context c) {
                         most_inside = std::max(most_inside, ++inside);
                         c.sleep(1ms).value();
                         --inside;
                         return n;
                       }) |
                 for_each([&](int) { --under_way; }) |
                 run(runtime, {.window = window, .stats = &stats});
      CHECK(out.has_value());
      CHECK(most == static_cast<int>(window));
      CHECK(stats.in_flight_max == window);
      CHECK(most_inside == std::min(3, static_cast<int>(window)));
      CHECK(stats.stages[0].running_max == static_cast<unsigned>(most_inside));
    }
  });
}

TEST_CASE(
    "a full queue before a stage holds back the stage before it, and the statistics show which") {
  in_simulation([](Runtime& runtime) {
    PipelineStats stats;
    auto out = from(numbers(100)) | stage("fast", {.workers = 4}, [](int n) { return n; }) |
               stage("slow", {.workers = 1, .queue = 5},
                     [](int n, Context c) {
                       c.sleep(1ms).value();
                       return n;
                     }) |
               collect() | run(runtime, {.stats = &stats});
    CHECK(out == numbers(100));
    CHECK(stats.items == 100);
    CHECK(stats.stages[1].name == "slow");
    CHECK(stats.stages[1].items == 100);
    CHECK(stats.stages[1].queue_max >= 5);
    CHECK(stats.stages[1].queue_max <= 6);  // One of them is for the free place.
    CHECK(stats.stages[1].running_max == 1);
    CHECK(stats.stages[2].queue_max <= 2);
  });
}

TEST_CASE("a stage may drop items, and order is kept among the others") {
  everywhere([](Runtime& runtime) {
    PipelineStats stats;
    auto out = from(numbers(100)) |
               stage("odd", {.workers = 3},
                     [](int n) { return n % 2 == 1 ? std::optional(n) : std::nullopt; }) |
               stage("in turn", {.ordered = true},
                     [](int n) -> Result<std::optional<int>> {
                       if (n % 3 == 0) return std::optional<int>();
                       return std::optional(n);
                     }) |
               collect() | run(runtime, {.window = 8, .stats = &stats});
    std::vector<int> expected;
    for (int n : numbers(100))
      if (n % 2 == 1 && n % 3 != 0) expected.push_back(n);
    CHECK(out == expected);
    CHECK(stats.stages[0].dropped == 50);
    CHECK(stats.stages[2].items == expected.size());
  });
}

TEST_CASE("the first failure stops everything, and says in which stage") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> ended = 0, begun = 0;
    auto out = from([n = 0]() mutable { return std::optional(n++); })  // For ever.
               | stage("parse", {},
                       [&](int n) {
                         if (n == 30) throw std::runtime_error("thirty");
                         return n;
                       }) |
               stage("wait", {.workers = 2},
                     [&](int n, Context c) {
                       ++begun;
                       if (n > 20) (void)c.sleep(1h).get();  // Ends with the pipeline.
                       ++ended;
                       return n;
                     }) |
               collect() | run(runtime);
    REQUIRE_FALSE(out.has_value());
    CHECK(out.error() == Errc::failed);
    CHECK(out.error().detail() == "thirty");
    CHECK(out.error().where() == "parse");
    CHECK(out.error().at().line() != 0);
    CHECK(begun == ended);
  });
}

TEST_CASE("failures of the source and of the end stop it too") {
  everywhere([](Runtime& runtime) {
    auto source = from([n = 0]() mutable -> Result<std::optional<int>> {
                    if (n == 3) return failure(Errc::failed, "the disk");
                    return std::optional(n++);
                  }) |
                  collect() | run(runtime, {.name = "reader"});
    CHECK(source.error().detail() == "the disk");
    CHECK(source.error().where() == "source of reader");
    auto end = from(numbers(10)) | for_each([](int n) -> Result<void> {
                 if (n == 3) return failure(Errc::overloaded, "no room");
                 return {};
               }) |
               run(runtime);
    CHECK(end.error() == Errc::overloaded);
    CHECK(end.error().where() == "for_each");
  });
}

TEST_CASE("a stage that skips what fails goes on, and hands out the dead letters") {
  everywhere([](Runtime& runtime) {
    std::mutex mutex;
    std::map<uint64_t, std::string> letters;
    PipelineStats stats;
    auto out = from(numbers(40)) |
               stage("parse", {.workers = 3, .on_error = skip_to([&](const DeadLetter& letter) {
                                               CHECK(letter.stage == "parse");
                                               std::lock_guard lock(mutex);
                                               letters[letter.number] = letter.error.detail();
                                             })},
                     [](int n) {
                       if (n % 10 == 7) throw std::runtime_error("seven " + std::to_string(n));
                       return n;
                     }) |
               stage("drop", {.on_error = OnError::keep_going},
                     [](int n) -> Result<int> {
                       if (n % 10 == 8) return failure(Errc::failed);
                       return n;
                     }) |
               collect() | run(runtime, {.stats = &stats});
    REQUIRE(out.has_value());
    CHECK(out->size() == 32);
    CHECK(std::ranges::is_sorted(*out));
    CHECK(letters.size() == 4);
    CHECK(letters[17] == "seven 17");
    CHECK(stats.stages[0].failed == 4);
    CHECK(stats.stages[1].failed == 4);
    auto thrown = from(numbers(3)) |
                  stage("parse", {.on_error = skip_to([](const DeadLetter&) {
                                    throw std::runtime_error("the dead letters' disk");
                                  })},
                        [](int) -> Result<int> { return failure(Errc::failed); }) |
                  collect() | run(runtime);
    CHECK(thrown.error().detail() == "the dead letters' disk");
  });
}

TEST_CASE("it stops by its token and by its time-out, and waits for its bodies") {
  in_simulation([](Runtime& runtime) {
    auto endless = [&](const PipelineOptions& options) {
      int inside = 0;
      auto out = from([n = 0]() mutable { return std::optional(n++); }) |
                 stage("wait", {.workers = 3},
                       [&](int n, Context c) {
                         ++inside;
                         (void)c.sleep(1s).get();
                         --inside;
                         return n;
                       }) |
                 for_each([](int) {}) | run(runtime, options);
      CHECK(inside == 0);
      return out;
    };
    tram::base::Time start = runtime.now();
    auto late = endless({.timeout = 10s, .name = "short"});
    CHECK(late.error() == Errc::timed_out);
    CHECK(late.error().where() == "short");
    CHECK(runtime.now() == start + 10s);
    std::stop_source stop;
    Scope scope(runtime);
    scope.spawn([&](Context c) {
      c.sleep(3s).value();
      stop.request_stop();
    });
    CHECK(endless({.stop = stop.get_token()}).error() == Errc::cancelled);
    CHECK(runtime.now() == start + 13s);
    CHECK(endless({.stop = stop.get_token()}).error() == Errc::cancelled);
  });
}

TEST_CASE("batches are full while more can come, and leave when nothing can") {
  everywhere([](Runtime& runtime) {
    std::mutex mutex;
    std::vector<size_t> sizes;
    auto out = from(numbers(25)) |
               batch("store", {.max_items = 10, .max_wait = Duration::forever()},
                     [&](std::span<int> items) {
                       std::lock_guard lock(mutex);
                       sizes.push_back(items.size());
                       return std::vector<std::string>(items.size(), "stored");
                     }) |
               collect() | run(runtime);
    REQUIRE(out.has_value());
    CHECK(out->size() == 25);
    CHECK(sizes == std::vector<size_t>{10, 10, 5});
    // A window smaller than a batch: nothing more can come, so nobody waits.
    sizes.clear();
    CHECK((from(numbers(9)) |
           batch("store", {.max_items = 100, .max_wait = Duration::forever()},
                 [&](std::span<const int> items) {
                   sizes.push_back(items.size());
                   return std::vector<int>(items.begin(), items.end());
                 }) |
           collect() | run(runtime, {.window = 4})) == numbers(9));
    CHECK(std::accumulate(sizes.begin(), sizes.end(), size_t{0}) == 9);
    CHECK(*std::ranges::max_element(sizes) == 4);
  });
}

TEST_CASE("a batch waits no longer than max_wait from its first item") {
  in_simulation([](Runtime& runtime) {
    tram::base::Time start = runtime.now();
    std::vector<std::pair<int64_t, size_t>> calls;
    auto out = from([n = 0](Context c) mutable -> std::optional<int> {
                 c.sleep(3ms).value();
                 return n < 10 ? std::optional(n++) : std::nullopt;
               }) |
               batch("store", {.max_items = 100, .max_wait = 10ms},
                     [&](std::span<int> items) {
                       calls.emplace_back((runtime.now() - start).milliseconds(), items.size());
                       return std::vector<int>(items.begin(), items.end());
                     }) |
               collect() | run(runtime);
    CHECK(out == numbers(10));
    // Items come at 3, 6, 9, ..., 30 ms; the source is at its end at 33 ms.
    REQUIRE(calls.size() >= 3);
    CHECK(calls[0].first == 13);
    CHECK(calls[0].second == 4);
    CHECK(calls.back().first <= 33);
  });
}

TEST_CASE("a batch's failures belong to their items; a wrong number of results fails all") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> letters = 0;
    auto skip = [&] { return skip_to([&](const DeadLetter&) { ++letters; }); };
    auto out = from(numbers(20)) |
               batch("store", {.max_items = 6, .inflight = 2, .on_error = skip()},
                     [](std::span<int> items) {
                       std::vector<Result<int>> given;
                       for (int n : items)
                         if (n % 5 == 0)
                           given.push_back(failure(Errc::failed, "five"));
                         else
                           given.push_back(n);
                       return given;
                     }) |
               collect() | run(runtime);
    REQUIRE(out.has_value());
    CHECK(out->size() == 16);
    CHECK(letters == 4);
    auto wrong = from(numbers(20)) |
                 batch("store", {.max_items = 20},
                       [](std::span<int> items) { return std::vector<int>(items.size() - 1); }) |
                 collect() | run(runtime);
    CHECK(wrong.error() == Errc::missing_result);
    CHECK(wrong.error().detail().find(" results for ") != std::string::npos);
    CHECK(wrong.error().where() == "store");
    letters = 0;
    auto none = from(numbers(20)) |
                batch("store", {.on_error = skip()},
                      [](std::span<int>) -> Result<std::vector<int>> {
                        return failure(Errc::overloaded);
                      }) |
                collect() | run(runtime);
    CHECK(none == std::vector<int>());
    CHECK(letters == 20);
  });
}

TEST_CASE("a pipeline runs inside a worker, and pipelines in pipelines, without other threads") {
  for (unsigned workers : {1U, 2U, 3U}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers, .blocking_max = 0});
    auto below = [&](int n) {
      return (from(numbers(n)) |
              batch("half", {.max_items = 3, .max_wait = Duration::forever()},
                    [](std::span<int> items) {
                      return std::vector<int>(items.begin(), items.end());
                    }) |
              fold(0, std::plus<>()) | run(runtime))
          .value();
    };
    Scope scope(runtime);
    auto sum = scope.spawn([&] {
      return (from(numbers(30)) | stage("below", {.workers = 3}, below) | fold(0, std::plus<>()) |
              run(runtime))
          .value();
    });
    CHECK(sum.get() == 4060);
    CHECK(runtime.threads() == workers);
  }
}

TEST_CASE("other workers take part from the first item on") {
  for (unsigned workers : {2U, 3U}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers});
    // Nobody passes before so many are there: with one worker at work it would never end.
    std::barrier<> all_there(static_cast<std::ptrdiff_t>(workers));
    int count = 12 * static_cast<int>(workers);
    auto meet = [&](int n) {
      all_there.arrive_and_wait();
      return n;
    };
    CHECK((from(numbers(count)) | stage("meet", {.workers = workers}, meet) | collect() |
           run(runtime)) == numbers(count));
  }
}

TEST_CASE("where bodies are short, one that waits for a later item holds up nothing") {
  for (unsigned workers : {1U, 2U, 3U}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers});
    Channel<int> behind(runtime, {.capacity = unbounded});
    // Every thousandth waits for the one after it, long after one thread was found to be enough.
    auto pass = [&](int n) {
      if (n % 1000 == 998) return *behind.pop() - 1;
      if (n % 1000 == 999) (void)behind.push(n);
      return n;
    };
    CHECK((from(numbers(20'000)) | stage("one", {.workers = 4}, pass) |
           stage("two", {.workers = 1, .ordered = true}, [](int n) { return n; }) | collect() |
           run(runtime, {.window = 8})) == numbers(20'000));
  }
}

TEST_CASE("bodies that were short for long and then are not are shared again") {
  for (unsigned workers : {2U, 3U}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers});
    std::set<std::thread::id> threads;
    std::mutex mutex;
    // Late items go on being there until two threads have met: not at once, but as it is noticed.
    std::atomic<bool> met = false;
    auto slow_late = [&](int n) {
      if (n < 5000) return n;
      std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      met = threads.size() > 1;
      return n;
    };
    auto spin = [&](int n) {
      if (n < 5000) return n;
      auto until = runtime.now() + 50us;
      while (!met && runtime.now() < until) {
      }
      return n;
    };
    int next = 0;
    auto source = [&]() -> std::optional<int> {
      if (next >= 5000 && met) return std::nullopt;
      return next++;
    };
    CHECK((from(source) | stage("spin", {}, spin) | stage("late", {}, slow_late) |
           for_each([](int) {}) | run(runtime))
              .has_value());
    CHECK(met);
  }
}

TEST_CASE("workers of a stage may find their own number") {
  in_simulation(
      [](Runtime& runtime) {
        PipelineStats stats;
        auto out = from(numbers(3000)) |
                   stage("call", {.workers = Adaptive{.min = 1, .max = 32}, .queue = 64},
                         [](int n, Context c) {
                           c.sleep(5ms).value();
                           return n;
                         }) |
                   collect() | run(runtime, {.stats = &stats});
        CHECK(out == numbers(3000));
        CHECK(stats.stages[0].running_max > 16);
      },
      3);
}

TEST_CASE("a simulated pipeline is repeated by its seed") {
  auto begun = [](uint64_t seed) {
    Sim sim(seed);
    Runtime runtime(sim);
    std::vector<int> order;
    CHECK((from(numbers(40)) |
           stage("wait", {.workers = 4},
                 [&](int n, Context c) {
                   c.sleep(Duration::from_milliseconds(n % 3)).value();
                   order.push_back(n);
                   return n;
                 }) |
           collect() | run(runtime)) == numbers(40));
    return std::pair(order, sim.steps());
  };
  CHECK(begun(7) == begun(7));
  CHECK(begun(7) != begun(8));
}

TEST_CASE("misuse of a pipeline is named") {
  Runtime runtime({.workers = 1});
  auto pass = [](int n) { return n; };
  auto zero = from(numbers(3)) | stage("x", {}, pass) | collect();
  CHECK(zero.run(runtime, {.window = 0}).error() == Errc::invalid_argument);
  CHECK(zero.run(runtime, {.timeout = -1s}).error().detail().find("timeout") != std::string::npos);
  CHECK(zero.run(runtime) == numbers(3));  // What could not be has not used it up.
  CHECK(zero.run(runtime).error() == Errc::closed);
  auto said = [&](auto pipeline) {
    auto result = pipeline.run(runtime, {.name = "p"});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error() == Errc::invalid_argument);
    return std::string(result.error().detail());
  };
  CHECK(said(from(numbers(3)) | stage("x", {.workers = -1}, pass) | collect())
            .find("pipeline 'p': stage 'x': workers") == 0);
  auto many = [](std::span<int> items) { return std::vector<int>(items.begin(), items.end()); };
  CHECK(said(from(numbers(3)) | batch("y", {.max_items = 0}, many) | collect()).find("max_items") !=
        std::string::npos);
  Flow<int> long_one = from(numbers(3));
  for (int i = 0; i < 64; ++i) long_one = std::move(long_one) | stage("x", {}, pass);
  CHECK(said(std::move(long_one) | collect()).find("stages: at most 64") != std::string::npos);
  CHECK(said(from(numbers(3)) | batch("y", {.max_wait = -1s}, many) | collect()).find("max_wait") !=
        std::string::npos);
}

// Beside a loop that does the same, one item after the other.
TEST_CASE("whatever its stages, a pipeline gives what a loop would give, in its order") {
  in_simulation(
      [](Runtime& runtime) {
        static uint64_t seed = 0;
        Random random(++seed);
        CAPTURE(seed);
        struct Step {
          int kind;  // 0: adds, 1: drops some, 2: fails on some, 3: a batch that adds.
          int by;
        };
        std::vector<Step> steps;
        auto any_pause = [seed = seed](int n, int stage) {
          uint64_t mixed =
              (static_cast<uint64_t>(n) * 31 + static_cast<uint64_t>(stage) * 7 + seed);
          return Duration::from_milliseconds(
              static_cast<int64_t>(mixed * 0x9e3779b97f4a7c15ULL >> 61));
        };
        std::vector<uint64_t> letters;
        int count = static_cast<int>(random.below(80));
        Flow<int> flow = from(numbers(count));
        for (uint64_t s = 0, stages = 1 + random.below(5); s < stages; ++s) {
          Step step{static_cast<int>(random.below(4)), static_cast<int>(2 + random.below(5))};
          steps.push_back(step);
          StageOptions options{.workers = static_cast<int>(random.below(4)),
                               .queue = random.below(5),
                               .ordered = random.below(2) == 0,
                               .on_error = skip_to([&](const DeadLetter& letter) {
                                 letters.push_back(letter.number);
                               })};
          int place = static_cast<int>(s);
          if (step.kind == 3) {
            flow = std::move(flow) | batch("batch",
                                           {.max_items = 1 + random.below(9),
                                            .max_wait = Duration::from_milliseconds(
                                                static_cast<int64_t>(random.below(5))),
                                            .inflight = static_cast<int>(1 + random.below(2)),
                                            .ordered = options.ordered},
                                           [=](std::span<int> items, Context c) {
                                             c.sleep(any_pause(items.front(), place)).value();
                                             std::vector<int> out;
                                             for (int n : items) out.push_back(n + step.by);
                                             return out;
                                           });
            continue;
          }
          flow = std::move(flow) |
                 stage("stage", options, [=](int n, Context c) -> Result<std::optional<int>> {
                   c.sleep(any_pause(n, place)).value();
                   if (step.kind == 0) return std::optional(n + step.by);
                   if (n % step.by != 0) return std::optional(n);
                   if (step.kind == 1) return std::optional<int>();
                   return failure(Errc::failed);
                 });
        }
        std::vector<int> expected;
        std::set<uint64_t> failed;
        for (int first = 0; first < count; ++first) {
          int n = first;
          bool gone = false;
          for (Step step : steps) {
            if (step.kind == 0 || step.kind == 3) {
              n += step.by;
            } else if (n % step.by == 0) {
              if (step.kind == 2) failed.insert(static_cast<uint64_t>(first));
              gone = true;
              break;
            }
          }
          if (!gone) expected.push_back(n);
        }
        auto out = std::move(flow) | collect() | run(runtime, {.window = 1 + random.below(30)});
        REQUIRE(out.has_value());
        CHECK(*out == expected);
        CHECK(letters.size() == failed.size());
        CHECK(std::set<uint64_t>(letters.begin(), letters.end()) == failed);
      },
      300);
}
