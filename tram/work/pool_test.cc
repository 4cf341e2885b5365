#include "tram/work/pool.h"

#include <atomic>
#include <latch>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>

#include "tram/base/random.h"
#include "tram/work/task.h"
#include "tram/work/testing/everywhere.h"

using namespace tram::work;
using namespace std::chrono_literals;
using tram::work::test::everywhere;
using tram::work::test::in_simulation;
using tram::work::test::with_threads;

TEST_CASE("a pool answers each job once, through any queue and any window") {
  everywhere([](Runtime& runtime) {
    for (size_t queue : {size_t{0}, size_t{3}, unbounded})
      for (size_t results : {size_t{0}, size_t{2}, unbounded}) {
        CAPTURE(queue);
        CAPTURE(results);
        Pool<int, int> pool(runtime, {.workers = 3, .queue = queue, .results = results},
                            [](int n) { return n * n; });
        auto run = pool.open();
        run.feed([](auto& in) {
          for (int i = 0; i < 50; ++i)
            if (!in.dispatch(i)) break;
        });
        std::multiset<int> got;
        for (Result<int>& result : run.received()) got.insert(*result);
        CHECK(run.finish().has_value());
        REQUIRE(got.size() == 50);
        int next = 0;
        for (int n : got) {
          CHECK(n == next * next);
          ++next;
        }
      }
  });
}

TEST_CASE("a run is fed by a range, by a callable, and by several of them") {
  everywhere([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 2, .queue = 3}, [](int n) { return n; });
    auto run = pool.open();
    std::vector<int> kept(50, 1);
    run.feed(kept);
    run.feed(std::vector<int>(50, 2));
    run.feed([](auto& in) {
      for (int i = 0; i < 50 && in.dispatch(3);) ++i;
    });
    int sum = 0;
    for (Result<int>& result : run.received()) sum += *result;
    CHECK(sum == 300);
    CHECK(run.finish().has_value());
    auto fails = pool.open();
    fails.feed([](auto&) { throw std::runtime_error("no orders"); });
    CHECK(fails.finish().error().detail() == "no orders");
  });
}

TEST_CASE("P1: whoever dispatches is told that the run has stopped, also while it waits") {
  everywhere([](Runtime& runtime) {
    std::stop_source source;
    Pool<int, int> pool(runtime, {.workers = 1, .queue = 1, .results = 0}, [](int n, Context c) {
      (void)c.sleep(1h).get();  // Ends with the run.
      return n;
    });
    auto run = pool.open(source.get_token());
    REQUIRE(run.dispatch(1).has_value());
    REQUIRE(run.dispatch(2).has_value());
    Scope scope(runtime);
    auto third = scope.spawn([&] { return run.dispatch(3); });
    auto stops = scope.spawn([&] { source.request_stop(); });
    CHECK(third.get().error() == Errc::cancelled);
    CHECK(run.dispatch(4).error() == Errc::cancelled);
    CHECK(run.finish().error() == Errc::cancelled);
    (void)stops.get();
  });
}

TEST_CASE("one dispatch may give up by its own deadline and its own token, and the run goes on") {
  in_simulation([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 1, .queue = 0}, [](int n, Context c) {
      c.sleep(1h).value();
      return n;
    });
    auto run = pool.open();
    REQUIRE(run.dispatch(1).has_value());
    tram::base::Time start = runtime.now();
    CHECK(run.dispatch(2, {.deadline = start + 5s}).error() == Errc::timed_out);
    CHECK(runtime.now() == start + 5s);
    std::stop_source source;
    Scope scope(runtime);
    scope.spawn([&](Context c) {
      c.sleep(1s).value();
      source.request_stop();
    });
    CHECK(run.dispatch(3, {.stop = source.get_token()}).error() == Errc::cancelled);
    CHECK(runtime.now() == start + 6s);
    CHECK(run.receive({.deadline = start + 7s}).error() == Errc::timed_out);
    CHECK(**run.receive() == 1);
    run.close();
    CHECK_FALSE(run.receive()->has_value());
    CHECK(run.finish().has_value());
  });
}

TEST_CASE("P2: closing races with dispatching, and everything accepted is answered") {
  everywhere([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 2, .queue = 2}, [](int n) { return n; });
    auto run = pool.open();
    Scope scope(runtime);
    auto accepted = scope.spawn([&] {
      int count = 0;
      Result<void> taken;
      while ((taken = run.dispatch(count)).has_value()) ++count;
      CHECK(taken.error() == Errc::closed);
      return count;
    });
    int received = 0;
    for (Result<int>& result : run.received()) {
      CHECK(result.has_value());
      if (++received == 20) run.close();
    }
    CHECK(received == accepted.get());
    CHECK(run.try_dispatch(1).error() == Errc::closed);
    CHECK(run.finish().has_value());
  });
}

TEST_CASE("P3: leaving the loop of results ends the run, its workers and its feed") {
  std::atomic<int> bodies = 0;
  struct Counted {
    explicit Counted(std::atomic<int>& of) : count(of) { ++count; }
    Counted(const Counted& other) : count(other.count) { ++count; }
    Counted& operator=(const Counted&) { return *this; }
    ~Counted() { --count; }
    std::atomic<int>& count;
  };
  std::atomic<int> alive = 0;
  everywhere([&](Runtime& runtime) {
    unsigned threads = runtime.threads();
    Pool<Counted, Counted> pool(runtime, {.workers = 4, .queue = 2, .results = 1},
                                [&](const Counted& in) {
                                  ++bodies;
                                  return in;
                                });
    bool feed_ended = false;
    {
      auto run = pool.open();
      run.feed([&](auto& in) {
        while (in.dispatch(Counted(alive))) {
        }
        feed_ended = true;
      });
      int seen = 0;
      for (Result<Counted>& result : run.received())
        if (result.has_value() && ++seen == 3) break;
      Result<void> end = run.finish();
      CHECK(end.error() == Errc::cancelled);
    }
    CHECK(feed_ended);
    CHECK(alive == 0);
    // A body that waits is replaced by one thread; they do not add up.
    CHECK(runtime.threads() <= threads + 2);
  });
  CHECK(bodies > 0);
}

TEST_CASE("P3: a run that is left without a word is over when it is gone") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> running = 0;
    Pool<int, int> pool(runtime, {.workers = 2, .queue = 1, .results = 0}, [&](int n, Context c) {
      ++running;
      (void)c.sleep(1h).get();
      --running;
      return n;
    });
    {
      auto run = pool.open();
      for (int i = 0; i < 3; ++i) CHECK(run.dispatch(i).has_value());
    }
    CHECK(running == 0);
  });
}

TEST_CASE("P4: the first error is the one that is told, and all others are kept") {
  everywhere([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 1, .name = "squares"}, [](int n) -> int {
      if (n % 2 == 1) throw std::runtime_error("odd " + std::to_string(n));
      return n;
    });
    auto run = pool.open();
    for (int i = 0; i < 6; ++i) REQUIRE(run.dispatch(i).has_value());
    run.close();
    int failed = 0;
    for (Result<int>& result : run.received()) failed += !result.has_value();
    CHECK(failed == 3);
    run.cancel();  // Does not replace what went wrong.
    Result<void> end = run.finish();
    REQUIRE_FALSE(end.has_value());
    CHECK(end.error().detail() == "odd 1");
    CHECK(end.error().where() == "squares");
    REQUIRE(end.error().all().size() == 3);
    CHECK(end.error().all()[2].detail() == "odd 5");
  });
}

TEST_CASE("P4: with OnError::cancel the first error stops everything, and stays the first") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> ran = 0;
    Pool<int, void> pool(runtime, {.workers = 1, .queue = 100, .on_error = OnError::cancel},
                         [&](int n) {
                           ++ran;
                           if (n == 3) throw std::runtime_error("three");
                         });
    auto run = pool.open();
    run.feed([](auto& in) {
      for (int i = 0; i < 100; ++i)
        if (!in.dispatch(i)) break;
    });
    Result<void> end = run.finish();
    REQUIRE_FALSE(end.has_value());
    CHECK(end.error().detail() == "three");
    CHECK(end.error().all().size() == 1);
    CHECK(ran == 4);
  });
}

TEST_CASE("P5: set_error stops the run for everybody") {
  everywhere([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 2, .queue = 1, .results = 1}, [](int n, Context c) {
      if (n > 0) (void)c.sleep(1h).get();
      return n;
    });
    auto run = pool.open();
    bool feed_ended = false;
    run.feed([&](auto& in) {
      for (int i = 0; in.dispatch(i); ++i) {
      }
      feed_ended = true;
    });
    REQUIRE(run.receive()->has_value());
    run.set_error(Error(Errc::failed, "enough"));
    run.set_error(Error(Errc::failed, "too late"));
    CHECK(run.error()->detail() == "enough");
    Result<void> end = run.finish();
    CHECK(end.error().detail() == "enough");
    CHECK(end.error().all().size() == 2);
    CHECK(feed_ended);
  });
}

TEST_CASE("P6 and P7: results are typed, and what a body throws is a result") {
  everywhere([](Runtime& runtime) {
    Pool<int, std::string> pool(runtime, {.workers = 1}, [](int n) -> Result<std::string> {
      if (n == 0) return failure(Errc::failed, "returned");
      if (n == 1) throw 7;
      if (n == 2) throw Failure(Error(Errc::overloaded, "thrown"));
      return std::to_string(n);
    });
    static_assert(
        std::same_as<decltype(pool.open().receive())::value_type::value_type, Result<std::string>>);
    auto run = pool.open();
    for (int i = 0; i < 4; ++i) REQUIRE(run.dispatch(i).has_value());
    CHECK((**run.receive()).error().detail() == "returned");
    CHECK((**run.receive()).error() == Errc::failed);
    CHECK((**run.receive()).error() == Errc::overloaded);
    CHECK((**run.receive()) == "3");
  });
}

TEST_CASE("P8: a job that takes too long has timed out at once, and its late value is dropped") {
  in_simulation([](Runtime& runtime) {
    Scope outer(runtime);  // Where the run's time-outs do not reach.
    auto slow = outer.sleep(10s);
    std::vector<std::string> stuck;
    bool told = false, returned = false;
    Pool<int, int> pool(
        runtime,
        {.workers = 2,
         .job_timeout = 2s,
         .grace = 3s,
         .on_stuck =
             [&](const StuckJob& job) {
               stuck.push_back(std::string(job.pool) + " " + std::to_string(job.number));
             },
         .name = "slow pool"},
        [&](int n, Context c) {
          if (n == 1) {
            (void)slow.get();  // Never looks at its token.
            told = c.stop().stop_requested() && c.stopped();
            returned = true;
          }
          return n;
        });
    tram::base::Time start = runtime.now();
    auto run = pool.open();
    for (int i = 0; i < 3; ++i) REQUIRE(run.dispatch(i).has_value());
    run.close();
    std::map<int, int> got;
    int timed_out = 0;
    for (Result<int>& result : run.received()) {
      if (result.has_value()) {
        ++got[*result];
        continue;
      }
      CHECK(result.error() == Errc::timed_out);
      CHECK(result.error().where() == "slow pool");
      CHECK(runtime.now() == start + 2s);
      CHECK_FALSE(returned);
      ++timed_out;
    }
    CHECK(timed_out == 1);
    CHECK(got == std::map<int, int>{{0, 1}, {2, 1}});
    Result<void> end = run.finish();
    CHECK(runtime.now() == start + 10s);  // The end waits for the body.
    CHECK(returned);
    CHECK(told);
    CHECK(run.stats().late == 1);
    CHECK(stuck == std::vector<std::string>{"slow pool 1"});
    CHECK(end.error() == Errc::timed_out);
    CHECK(end.error().all().size() == 2);
    CHECK(end.error().all()[1].text().find("does not look") != std::string::npos);
  });
}

TEST_CASE("P8: a body that looks at its token returns, and is not reported") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> stuck = 0;
    Pool<int, int> pool(runtime,
                        {.workers = 1,
                         .job_timeout = 1ms,
                         .grace = 1h,
                         .on_stuck = [&](const StuckJob&) { ++stuck; }},
                        [](int n, Context c) {
                          CHECK(c.deadline() <= c.now() + 1ms);
                          (void)c.sleep(1h).get();  // Is ended with the job's scope.
                          CHECK(c.stopped());
                          return n;
                        });
    auto run = pool.open();
    REQUIRE(run.dispatch(1).has_value());
    CHECK((**run.receive()).error() == Errc::timed_out);
    CHECK(run.finish().error().all().size() == 1);
    CHECK(stuck == 0);
  });
}

TEST_CASE("a job that waits too long for a worker has timed out, without being run") {
  in_simulation([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 1, .queue = 2, .queue_timeout = 3s},
                        [](int n, Context c) {
                          c.sleep(10s).value();
                          return n;
                        });
    auto run = pool.open();
    REQUIRE(run.dispatch(0).has_value());
    REQUIRE(run.dispatch(1).has_value());
    REQUIRE(run.dispatch(2).has_value());
    tram::base::Time start = runtime.now();
    // Those that wait leave after as long as this one is willing to wait.
    Result<void> fourth = run.dispatch(3);
    CHECK((fourth.has_value() || fourth.error() == Errc::overloaded));
    CHECK(runtime.now() == start + 3s);
    run.close();
    int timed_out = 0, good = 0;
    for (Result<int>& result : run.received()) result.has_value() ? ++good : ++timed_out;
    CHECK(good == 1);
    CHECK(timed_out == 2 + fourth.has_value());
  });
}

TEST_CASE("a run's own time-out ends it") {
  in_simulation([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 1, .timeout = 5s, .name = "short"},
                        [](int n, Context c) {
                          (void)c.sleep(2s).get();
                          return n;
                        });
    auto run = pool.open();
    run.feed([](auto& in) {
      for (int i = 0; i < 100; ++i)
        if (Result<void> taken = in.dispatch(i); !taken) {
          CHECK(taken.error() == Errc::timed_out);
          break;
        }
    });
    int good = 0, bad = 0;
    for (Result<int>& result : run.received()) {
      if (result.has_value()) {
        ++good;
      } else {
        CHECK(result.error() == Errc::timed_out);
        ++bad;
      }
    }
    CHECK(good == 2);
    CHECK(bad > 0);
    Result<void> end = run.finish();
    CHECK(end.error() == Errc::timed_out);
    CHECK(end.error().where() == "short");
  });
}

TEST_CASE("a higher priority goes first, but not for ever") {
  in_simulation([](Runtime& runtime) {
    std::string order;
    Pool<char, void> pool(runtime, {.workers = 1, .queue = 100, .overtaken_max = 3},
                          [&](char c) { order += c; });
    auto run = pool.open();
    REQUIRE(run.dispatch('l', {.priority = Priority::low}).has_value());
    REQUIRE(run.dispatch('n').has_value());
    for (int i = 0; i < 9; ++i)
      REQUIRE(run.dispatch('h', {.priority = Priority::high}).has_value());
    CHECK(run.finish().has_value());
    CHECK(order == "hhhnhhlhhhh");
  });
}

TEST_CASE("one worker runs jobs in the order of dispatching") {
  everywhere([](Runtime& runtime) {
    std::vector<int> ran;
    Pool<int, void> pool(runtime, {.workers = 1, .queue = 100}, [&](int n) { ran.push_back(n); });
    auto run = pool.open();
    for (int i = 0; i < 200; ++i) REQUIRE(run.dispatch(i).has_value());
    CHECK(run.finish().has_value());
    REQUIRE(ran.size() == 200);
    for (int i = 0; i < 200; ++i) CHECK(ran[static_cast<size_t>(i)] == i);
  });
}

TEST_CASE("no more bodies run, and no more wait, than was said") {
  with_threads([](Runtime& runtime) {
    std::latch started(2), go(1);
    std::atomic<int> most = 0, now = 0;
    Pool<int, void> pool(runtime, {.workers = 2, .queue = 3, .blocking = true}, [&](int first) {
      most = std::max(most.load(), ++now);
      if (first == 1) started.count_down();
      go.wait();
      --now;
    });
    auto run = pool.open();
    REQUIRE(run.try_dispatch(1).has_value());
    REQUIRE(run.try_dispatch(1).has_value());
    started.wait();
    for (int i = 0; i < 3; ++i) CHECK(run.try_dispatch(2).has_value());
    CHECK(run.try_dispatch(9).error() == Errc::overloaded);
    CHECK(run.stats().running == 2);
    CHECK(run.stats().queued == 3);
    go.count_down();
    CHECK(run.finish().has_value());
    CHECK(most == 2);
  });
}

TEST_CASE("with no queue a job goes from hand to hand, and an unread result keeps its worker") {
  everywhere([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 1, .queue = 0, .results = 0}, [](int n) { return n; });
    auto run = pool.open();
    REQUIRE(run.dispatch(1).has_value());
    // Until its result is taken there is no place for another.
    CHECK(run.try_dispatch(2).error() == Errc::overloaded);
    CHECK(**run.receive() == 1);
    CHECK(run.dispatch(2).has_value());
    CHECK(**run.receive() == 2);
  });
}

TEST_CASE("waiting inside a full pool is named, not suffered") {
  everywhere([](Runtime& runtime) {
    Pool<int, int>::Run* self = nullptr;
    Pool<int, int> pool(runtime, {.workers = 2, .queue = 1, .results = 100, .name = "nested"},
                        [&](int n) -> Result<int> {
                          if (n > 0)
                            for (int i = 0; i < 10; ++i)
                              if (Result<void> taken = self->dispatch(0); !taken)
                                return std::unexpected(taken.error());
                          return n;
                        });
    auto run = pool.open();
    self = &run;
    for (int i = 0; i < 2; ++i) (void)run.dispatch(1);
    CHECK(run.wait().has_value());
    // Depending on the order at least one of the two is told, or both had room.
    if (auto error = run.error()) {
      CHECK(*error == Errc::deadlock);
      CHECK(error->where() == "nested");
    }
    (void)run.finish();
  });
  // Here for certain: its only worker is the one that waits.
  everywhere([](Runtime& runtime) {
    Pool<int, void>::Run* self = nullptr;
    Pool<int, void> pool(runtime, {.workers = 1, .queue = 1}, [&](int n) -> Result<void> {
      if (n == 0) return {};
      CHECK(self->wait().error() == Errc::deadlock);
      CHECK(self->dispatch(0).has_value());
      return self->dispatch(0);
    });
    auto run = pool.open();
    self = &run;
    REQUIRE(run.dispatch(1).has_value());
    CHECK(run.wait().has_value());
    CHECK(run.finish().error() == Errc::deadlock);
  });
}

TEST_CASE("a body that waits for a result of its own pool is told, if nobody else could give one") {
  everywhere([](Runtime& runtime) {
    Pool<int, int>::Run* self = nullptr;
    Pool<int, int> pool(runtime, {.workers = 1}, [&](int n) -> Result<int> {
      auto next = self->receive();
      if (!next) return std::unexpected(next.error());
      return n;
    });
    auto run = pool.open();
    self = &run;
    REQUIRE(run.dispatch(1).has_value());
    CHECK((**run.receive()).error() == Errc::deadlock);
  });
}

TEST_CASE("a worker that waits for a pool does its work: pools in pools need no other thread") {
  for (unsigned workers : {1U, 2U, 3U}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers, .blocking_max = 0});
    Scope scope(runtime);
    auto sum_of = [](const auto& results) {
      int sum = 0;
      for (auto& result : results) sum += result.value();
      return sum;
    };
    auto nested = [&](auto& self, int depth) -> int {
      if (depth == 0) return 1;
      std::vector<int> branches(4, depth - 1);
      return sum_of(map(runtime, branches, [&](int below) { return self(self, below); }));
    };
    CHECK(scope.spawn([&] { return nested(nested, 5); }).get() == 1024);
    // So does one that feeds, and one that receives, through a queue and a window of one.
    auto through = scope.spawn([&] {
      Pool<int, int> pool(runtime, {.workers = 2, .queue = 1, .results = 1},
                          [](int n) { return n; });
      auto run = pool.open();
      int sum = 0;
      for (int i = 0; i < 200; ++i) {
        (void)run.dispatch(i);
        sum += ***run.receive();
      }
      CHECK(run.wait().has_value());
      CHECK(run.finish().has_value());
      return sum;
    });
    CHECK(through.get() == 199 * 100);
    CHECK(runtime.threads() == workers);
  }
}

TEST_CASE("an option that cannot be is named when the pool is made, or opened with it") {
  Runtime runtime({.workers = 1});
  auto said = [&](PoolOptions options) {
    options.name = "prices";
    CHECK_FALSE(check(options).has_value());
    try {
      Pool<int, int> pool(runtime, options, [](int n) { return n; });
    } catch (const Failure& failure) {
      CHECK(failure.error() == Errc::invalid_argument);
      CHECK(failure.error().where() == "prices");
      return std::string(failure.error().detail());
    }
    return std::string("nothing");
  };
  CHECK(said({.workers = -1}).find("pool 'prices': workers: from 1") == 0);
  CHECK(said({.workers = Adaptive{.min = 0}}).find("workers: of Adaptive") != std::string::npos);
  CHECK(said({.workers = Adaptive{.min = 3, .max = 2}}).find("at most max") != std::string::npos);
  CHECK(said({.workers = Adaptive{.algorithm = Gradient{.back_off = 2}}}).find("back_off") !=
        std::string::npos);
  CHECK(said({.job_timeout = 0s}).find("job_timeout") != std::string::npos);
  CHECK(said({.queue_timeout = -1s}).find("queue_timeout") != std::string::npos);
  CHECK(said({.timeout = 0s}).find("timeout") != std::string::npos);
  CHECK(said({.grace = -1s}).find("grace") != std::string::npos);
  Pool<int, int> pool(runtime, {}, [](int n) { return n; });
  PoolOptions options = pool.options();
  options.timeout = -1s;
  CHECK_THROWS_AS(pool.open(options), Failure);
}

TEST_CASE("a run may have options of its own, and a pool several runs at once") {
  everywhere([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 1, .queue = 2}, [](int n) { return n; });
    PoolOptions options = pool.options();
    options.workers = 7;
    auto first = pool.open();
    auto second = pool.open(options);
    CHECK(first.stats().workers == 1);
    CHECK(second.stats().workers == 7);
    CHECK(first.dispatch(1).has_value());
    CHECK(second.dispatch(2).has_value());
    first.cancel();  // Is not the other's affair.
    CHECK(second.receive()->value() == 2);
    CHECK(second.finish().has_value());
    Pool<int, int> unsaid(runtime, {}, [](int n) { return n; });
    CHECK(unsaid.open().stats().workers == runtime.workers());
  });
}

TEST_CASE("add, done and wait count what is on its way") {
  everywhere([](Runtime& runtime) {
    int sum = 0;
    Pool<int, void> pool(runtime, {.workers = 3, .queue = 2}, [](int) {});
    auto run = pool.open();
    Pool<int, void> adders(runtime, {.workers = 3}, [&](int n) { run.locked([&] { sum += n; }); });
    auto adding = adders.open();
    run.add(5);
    Scope scope(runtime);
    for (int i = 0; i < 5; ++i)
      scope.spawn([&] {
        CHECK(adding.dispatch(1).has_value());
        CHECK(run.dispatch(1).has_value());
        run.done();
      });
    CHECK(run.wait().has_value());
    CHECK(run.stats().answered == 5);
    CHECK(adding.wait().has_value());
    CHECK(sum == 5);
    CHECK(run.dispatch(1).has_value());  // It is still open.
    run.done();
    CHECK(run.finish().error().text().find("done()") != std::string::npos);
  });
}

TEST_CASE("a locked section is one at a time") {
  with_threads([](Runtime& runtime) {
    std::map<int, int> shared;
    Pool<int, void>* self = nullptr;
    Pool<int, void> pool(runtime, {.workers = 8, .queue = 100},
                         [&](int n) { self->locked([&] { ++shared[n % 10]; }); });
    self = &pool;
    auto run = pool.open();
    for (int i = 0; i < 1000; ++i) REQUIRE(run.dispatch(i).has_value());
    CHECK(run.finish().has_value());
    for (auto [key, count] : shared) CHECK(count == 100);
  });
}

namespace {

// Adds up results, one after the other, without holding a thread.
Task<int> sum_of(Pool<int, int>::Run& run, Context c) {
  int sum = 0;
  for (;;) {
    Unit<std::optional<Result<int>>> next = run.next(c);
    std::optional<Result<int>> result = co_await next;
    if (!result) break;
    sum += result->value_or(1000);
  }
  co_return sum;
}

}  // namespace

TEST_CASE("results are awaited without a thread, until there are no more") {
  everywhere([](Runtime& runtime) {
    for (size_t results : {size_t{0}, size_t{2}, unbounded}) {
      CAPTURE(results);
      Pool<int, int> pool(runtime, {.workers = 2, .queue = 3, .results = results}, [](int n) {
        return n == 7 ? Result<int>(failure(Errc::failed)) : Result<int>(n);
      });
      auto run = pool.open();
      Scope scope(runtime);
      auto first = scope.spawn([&](Context c) { return sum_of(run, c); });
      auto second = scope.spawn([&](Context c) { return sum_of(run, c); });
      run.feed(std::views::iota(0, 100));
      CHECK(first.value() + second.value() == 99 * 50 - 7 + 1000);
      CHECK(scope.wait().has_value());
      CHECK_FALSE(run.finish().has_value());
    }
  });
}

TEST_CASE("a result for a unit that was cancelled is the next one's") {
  everywhere([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 2}, [](int n) { return n; });
    auto run = pool.open();
    Scope scope(runtime, {.on_error = OnError::keep_going});
    std::vector<Unit<std::optional<Result<int>>>> units;
    for (int i = 0; i < 40; ++i) units.push_back(run.next(scope));
    for (int i = 0; i < 40; i += 2) units[static_cast<size_t>(i)].cancel();
    for (int i = 0; i < 40; ++i) REQUIRE(run.dispatch(i));
    for (int i = 1; i < 40; i += 4) units[static_cast<size_t>(i)].cancel();
    run.close();
    std::set<int> seen;
    for (auto& unit : units)
      if (auto result = unit.get(); result && *result) seen.insert(***result);
    while (auto result = run.receive().value()) seen.insert(**result);
    CHECK(seen.size() == 40);
    CHECK_FALSE(run.next(scope).get().value().has_value());
  });
}

TEST_CASE("a run that is over lets no unit wait for results") {
  everywhere([](Runtime& runtime) {
    Pool<int, int> pool(runtime, {.workers = 1}, [](int n) { return n; });
    Scope scope(runtime);
    Unit<std::optional<Result<int>>> waits;
    {
      auto run = pool.open();
      waits = run.next(scope);
      CHECK_FALSE(waits.done());
    }
    CHECK_FALSE(waits.value().has_value());
  });
}

TEST_CASE("map gives the results in order, with each failure in its place") {
  everywhere([](Runtime& runtime) {
    std::vector<int> numbers(100);
    std::iota(numbers.begin(), numbers.end(), 0);
    auto results = map(runtime, numbers,
                       [](int n) {
                         if (n == 42) throw std::runtime_error("no");
                         return std::to_string(n);
                       },
                       {.workers = 4});
    static_assert(std::same_as<decltype(results), std::vector<Result<std::string>>>);
    REQUIRE(results.size() == 100);
    for (int i = 0; i < 100; ++i) {
      auto& result = results[static_cast<size_t>(i)];
      if (i == 42)
        CHECK(result.error().detail() == "no");
      else
        CHECK(result == std::to_string(i));
    }
    std::atomic<int> sum = 0;
    std::vector<Result<void>> done =
        map(runtime, numbers | std::views::take(3), [&](int n) { sum += n; }, {.workers = 2});
    CHECK(done.size() == 3);
    CHECK(sum == 3);
    std::stop_source stopped;
    stopped.request_stop();
    for (auto& result : map(runtime, numbers, [](int n) { return n; }, {}, stopped.get_token()))
      CHECK(result.error() == Errc::cancelled);
  });
}

TEST_CASE("a simulated run is repeated by its seed") {
  auto steps = [](uint64_t seed) {
    Sim sim(seed);
    Runtime runtime(sim);
    Pool<int, int> pool(runtime, {.workers = 3, .queue = 2}, [](int n, Context c) {
      c.sleep(tram::base::Duration::from_milliseconds(n % 5)).value();
      return n;
    });
    auto run = pool.open();
    run.feed(std::views::iota(0, 50));
    std::vector<int> order;
    for (Result<int>& result : run.received()) order.push_back(*result);
    return std::pair(order, sim.steps());
  };
  CHECK(steps(7) == steps(7));
  CHECK(steps(7) != steps(8));
}

TEST_CASE("adaptive workers come with the load and go with it") {
  in_simulation(
      [](Runtime& runtime) {
        Pool<int, void> pool(runtime, {.workers = Adaptive{.min = 2, .max = 64}, .queue = 256},
                             [](int, Context c) { (void)c.sleep(5ms).get(); });
        auto run = pool.open();
        Scope scope(runtime);
        unsigned busiest = 0;
        // Two seconds of 5,000 jobs a second, which 25 workers could do, then a second of 100.
        auto feed = scope.spawn([&](Context c) {
          for (int i = 0; i < 2000; ++i) {
            for (int k = 0; k < 5; ++k) (void)run.try_dispatch(k);
            c.sleep(1ms).value();
            busiest = std::max(busiest, run.stats().workers);
          }
          for (int i = 0; i < 300; ++i) {
            (void)run.try_dispatch(i);
            c.sleep(10ms).value();
          }
        });
        CHECK(feed.get().has_value());
        CHECK(busiest >= 20);
        CHECK(run.stats().workers <= 8);
        CHECK(run.finish().has_value());
      },
      3);
}

TEST_CASE("whatever is done to a run, what it accepted is answered exactly once") {
  in_simulation(
      [](Runtime& runtime) {
        static uint64_t seed = 0;
        tram::base::Random random(++seed);
        std::vector<int> ran(300);
        PoolOptions options{.workers = static_cast<int>(1 + random.below(4)),
                            .queue = random.below(4),
                            .results = random.below(4)};
        if (random.below(2) == 0) options.job_timeout = 5ms;
        if (random.below(2) == 0) options.queue_timeout = 4ms;
        if (random.below(4) == 0) options.timeout = 50ms;
        if (random.below(4) == 0) options.on_error = OnError::cancel;
        uint64_t fate = random.below(4);
        Pool<size_t, size_t> pool(runtime, options, [&](size_t n, Context c) {
          ++ran[n];
          if (n % 3 == 0)
            (void)c.sleep(tram::base::Duration::from_milliseconds(static_cast<int64_t>(n % 9)))
                .get();
          if (n % 17 == 16) throw std::runtime_error("seventeen");
          return n;
        });
        auto run = pool.open();
        size_t accepted = 0;
        run.feed([&](auto& in) {
          for (size_t i = 0; i < ran.size(); ++i) {
            auto priority = static_cast<Priority>(i % 3);
            Result<void> taken = in.dispatch(i, {.priority = priority});
            if (taken)
              ++accepted;
            else if (taken.error() != Errc::overloaded)
              break;
          }
        });
        std::set<size_t> values;
        size_t answers = 0;
        for (;;) {
          auto next = run.receive();
          REQUIRE(next.has_value());
          if (!*next) break;
          ++answers;
          if ((*next)->has_value()) CHECK(values.insert(***next).second);
          if (answers == 100 && fate == 0) run.cancel();
          if (answers == 100 && fate == 1) run.close();
        }
        (void)run.finish();  // Until it is over the feed may not yet know what was accepted.
        CHECK(answers == accepted);
        for (size_t n : values) CHECK(ran[n] == 1);
        for (int n : ran) CHECK(n <= 1);
      },
      60);
}
