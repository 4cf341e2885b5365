#include "tram/work/scope.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <latch>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "tram/work/testing/everywhere.h"

using namespace tram::work;
using namespace std::chrono_literals;
using tram::work::test::everywhere;

TEST_CASE("a unit gives what its body returns, from its arguments") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    Unit<int> sum = scope.spawn([](int a, int b) { return a + b; }, 40, 2);
    CHECK(sum.get() == 42);
    auto moved = scope.spawn([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(7));
    CHECK(**std::move(moved).get() == 7);
  });
}

TEST_CASE("values travel on the edges") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto a = scope.spawn([] { return std::string("a"); });
    auto b = scope.spawn([] { return 3; });
    auto both = scope.spawn_after(
        [](const std::string& text, int times, const std::string& end) {
          std::string all;
          for (int i = 0; i < times; ++i) all += text;
          return all + end;
        },
        a, b, std::string("."));
    CHECK(both.get() == "aaa.");
  });
}

TEST_CASE("a unit that a body returns becomes its result, however deep") {
  everywhere([](Runtime& runtime) {
    struct Deep {
      static Unit<int> down(int levels, Context c) {
        if (levels == 0) return c.spawn([] { return 1; });
        return c.spawn_after([](int below) { return below + 1; }, c.spawn(down, levels - 1));
      }
    };
    Scope scope(runtime);
    CHECK(scope.spawn(Deep::down, 100).get() == 101);
  });
}

TEST_CASE("all, settled and any give what they say") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    auto numbers = scope.spawn_each([](int n) { return n * n; }, std::vector{1, 2, 3});
    auto sum = scope.spawn_after(
        [](std::vector<int> v) { return std::accumulate(v.begin(), v.end(), 0); }, all(numbers));
    CHECK(sum.get() == 14);
    std::vector<Unit<int>> mixed = {scope.spawn([] { return 5; }),
                                    scope.spawn([]() -> int { throw std::runtime_error("no"); })};
    auto good = scope.spawn_after([](int n) { return n; }, any(mixed));
    auto failures = scope.spawn_after(
        [](std::vector<Result<int>> results) {
          return std::ranges::count_if(results, [](const auto& r) { return !r.has_value(); });
        },
        settled(mixed));
    CHECK(good.get() == 5);
    CHECK(failures.get() == 1);
    CHECK(scope.wait().error() == Errc::failed);
  });
}

TEST_CASE("what looks at failures itself is run also in a scope that they have stopped") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [never, promise] = scope.external<int>();
    auto bad = scope.spawn([]() -> int { throw std::runtime_error("no"); });
    auto sees = scope.spawn_after(
        [](const Result<int>& one, const Result<int>& two) {
          return one.error() == Errc::failed && two.error() == Errc::cancelled;
        },
        bad, never);
    CHECK(sees.get() == true);
  });
}

TEST_CASE("a failed dependency fails its dependants, with the cause, and they are not run") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    bool ran = false;
    auto bad =
        scope.spawn(Name("reader"), []() -> int { throw std::runtime_error("disk on fire"); });
    auto after = scope.spawn_after([&](int) { ran = true; }, bad);
    auto decides =
        scope.spawn_after([](const Result<int>& r) { return r.has_value() ? 1 : 2; }, bad);
    REQUIRE_FALSE(after.get().has_value());
    CHECK(after.get().error() == Errc::dependency_failed);
    CHECK(after.get().error().text().find("disk on fire") != std::string::npos);
    CHECK(after.get().error().where() == "reader");
    CHECK_THROWS_AS(after.value(), std::runtime_error);
    CHECK(decides.get() == 2);
    CHECK_FALSE(ran);
  });
}

TEST_CASE("the first failure stops the scope, and every failure is kept") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [never, promise] = scope.external<int>();
    auto waits = scope.spawn_after([](int n) { return n; }, never);
    scope.spawn(Name("bad"), [] { throw std::runtime_error("first"); });
    CHECK(waits.get().error() == Errc::cancelled);
    Result<void> end = scope.wait();
    REQUIRE_FALSE(end.has_value());
    CHECK(end.error() == Errc::failed);
    CHECK(end.error().detail() == "first");
    CHECK(end.error().where() == "bad");
    CHECK(end.error().at().line() != 0);
  });
  Sim sim(1);
  Runtime runtime(sim);
  Scope scope(runtime, {.on_error = OnError::keep_going});
  for (int i = 0; i < 5; ++i) scope.spawn([i] { throw std::runtime_error(std::to_string(i)); });
  CHECK(scope.wait().error().all().size() == 5);
  CHECK(scope.wait().has_value());
}

TEST_CASE("a promise that is dropped ends its unit, so nothing waits for ever") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [unit, promise] = scope.external<int>();
    auto after = scope.spawn_after([](int) {}, unit);
    {
      auto dropped = std::move(promise);
    }
    CHECK(unit.get().error() == Errc::cancelled);
    CHECK(after.get().error() == Errc::cancelled);
  });
}

TEST_CASE("a promise may be kept by any thread, and the second result is refused") {
  Runtime runtime({.workers = 2});
  Scope scope(runtime);
  auto [unit, promise] = scope.external<int>();
  auto after = scope.spawn_after([](int n) { return n + 1; }, unit);
  std::jthread outside([p = std::move(promise)]() mutable {
    CHECK(p.set_value(1));
    CHECK_FALSE(p.set_value(2));
    CHECK(p.over());
  });
  CHECK(after.get() == 2);
}

TEST_CASE("dependencies are added to units that wait, run and are done") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [first, first_promise] = scope.external<void>();
    auto [late, late_promise] = scope.external<void>();
    bool late_over = false;
    auto waits = scope.spawn_after([&] { return late_over; }, first);
    REQUIRE(waits.after(late).has_value());
    first_promise.set_value();
    late_over = true;
    late_promise.set_value();
    CHECK(waits.get() == true);
    CHECK(waits.after(first).error() == Errc::closed);

    auto [hold, hold_promise] = scope.external<void>();
    Unit<int> self;
    auto [go, go_promise] = scope.external<void>();
    self = scope.spawn_after(
        [&] {
          CHECK(self.after(hold).has_value());  // Running: its end waits.
          return 9;
        },
        go);
    go_promise.set_value();
    auto then = scope.spawn_after([](int n) { return n; }, self);
    CHECK_FALSE(then.done());
    hold_promise.set_value();
    CHECK(then.get() == 9);
  });
}

TEST_CASE("a circle is named, not suffered") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    auto [gate, promise] = scope.external<void>();
    auto a = scope.spawn_after(Name("hen"), [] { return 1; }, gate);
    auto b = scope.spawn_after(Name("egg"), [](int) { return 2; }, a);
    REQUIRE(a.after(b).has_value());
    promise.set_value();
    Error error = b.get().error();
    CHECK(error.code() != Errc::failed);
    CHECK(error.text().find("hen") != std::string::npos);
    CHECK(error.text().find("egg") != std::string::npos);
    Error whole = scope.wait().error();
    CHECK(whole == Errc::deadlock);
  });
}

TEST_CASE("a body that returns or waits for itself is named") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    Unit<int> self;
    auto [gate, promise] = scope.external<void>();
    self = scope.spawn_after(Name("ouroboros"), [&]() -> Unit<int> { return self; }, gate);
    auto [gate2, promise2] = scope.external<void>();
    Unit<int> waiter;
    waiter = scope.spawn_after(Name("narcissus"), [&] { return waiter.value(); }, gate2);
    promise.set_value();
    promise2.set_value();
    CHECK(self.get().error() == Errc::deadlock);
    CHECK(waiter.get().error() == Errc::deadlock);
    self = {};
    waiter = {};
  });
}

TEST_CASE("a deadline ends what waits, and children stop with their parents") {
  Sim sim(3);
  Runtime runtime(sim);
  Scope scope(runtime, {.deadline = 50ms});
  auto long_sleep = scope.sleep(1h);
  auto nested = scope.spawn([](Context c) {
    Scope inner(c);
    auto sleep = inner.sleep(2h);
    return sleep.get().has_value();
  });
  CHECK(nested.get() == false);
  CHECK(long_sleep.get().error() == Errc::timed_out);
  CHECK(scope.wait().error() == Errc::timed_out);
  CHECK(sim.now() >= tram::base::Time::from_nanoseconds(50'000'000));
  CHECK(sim.now() < tram::base::Time::from_nanoseconds(60'000'000));
}

TEST_CASE("an outer stop token stops the scope, and its stop token tells bodies") {
  Runtime runtime({.workers = 2});
  std::stop_source outer;
  Scope scope(runtime, {.stop = outer.get_token()});
  std::latch begun(1);
  auto runs = scope.spawn([&](Context c) {
    begun.count_down();
    while (!c.stop().stop_requested()) std::this_thread::yield();
    c.check();
  });
  begun.wait();
  outer.request_stop();
  CHECK(runs.get().error() == Errc::cancelled);
}

TEST_CASE("one unit alone is cancelled") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [gate, promise] = scope.external<void>();
    auto waits = scope.spawn_after([] { return 1; }, gate);
    auto after = scope.spawn_after([](int) { return 1; }, waits);
    waits.cancel();
    CHECK(waits.done());
    CHECK(after.get().error() == Errc::cancelled);
    promise.set_value();
    CHECK(scope.wait().has_value());
  });
}

TEST_CASE("bodies that wait in get() do not need a thread each, and a full pool says so") {
  everywhere([](Runtime& runtime) {
    struct Fib {
      static int of(int n, Context c) {
        if (n < 2) return n;
        auto one = c.spawn(of, n - 1);
        auto two = c.spawn(of, n - 2);
        return one.value() + two.value();
      }
    };
    Scope scope(runtime);
    CHECK(scope.spawn(Fib::of, 12).get() == 144);
  });
  Runtime tiny({.workers = 1, .blocking_max = 0});
  Scope scope(tiny);
  auto [gate, promise] = scope.external<int>();
  auto waits = scope.spawn([u = gate] { return u.get().error().code(); });
  CHECK(waits.get() == Errc::deadlock);
}

TEST_CASE("a body that waits, with nobody to take its place, leaves what it made ready to others") {
  Runtime runtime({.workers = 2, .blocking_max = 0});
  Scope scope(runtime);
  for (int round = 0; round < 100; ++round) {
    auto body = scope.spawn([](Context c) {
      auto [gate, promise] = c.external<int>();
      auto opens = c.spawn([&promise] { promise.set_value(1); });
      auto second = c.spawn_after([](int n) { return n + 1; }, gate);
      auto third = c.spawn_after([](int n) { return n + 1; }, second);
      // Run here, in place: it makes `second` ready, which this thread would have run next.
      CHECK(opens.get().has_value());
      return third.value();
    });
    CHECK(body.get() == 3);
  }
}

TEST_CASE("blocking bodies are replaced") {
  Runtime runtime({.workers = 1, .blocking_max = 4});
  Scope scope(runtime);
  std::latch all_in(4);
  for (int i = 0; i < 4; ++i)
    scope.spawn([&](Context c) { c.blocking([&] { all_in.arrive_and_wait(); }); });
  CHECK(scope.wait().has_value());
  CHECK(runtime.threads() <= 5);
}

TEST_CASE("the same key runs once") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    std::atomic<int> runs = 0;
    std::vector<Unit<int>> units;
    for (int i = 0; i < 100; ++i)
      units.push_back(scope.unit_for(i % 3, [&](int k) { return ++runs, k; }, i % 3));
    for (int i = 0; i < 100; ++i) CHECK(units[static_cast<size_t>(i)].get() == i % 3);
    CHECK(runs == 3);
  });
}

TEST_CASE("locals are found by type, also from a scope within") {
  everywhere([](Runtime& runtime) {
    struct Tenant {
      int id;
    };
    Scope scope(runtime);
    scope.set_local(Tenant{7});
    auto found = scope.spawn([](Context c) {
      Scope inner(c);
      return inner.spawn([](Context d) { return d.local<Tenant>()->id; }).value();
    });
    CHECK(found.get() == 7);
    CHECK(scope.local<std::string>() == nullptr);
  });
}

TEST_CASE("an exception that unwinds the stack cancels the scope") {
  Runtime runtime({.workers = 2});
  CHECK_THROWS_AS(
      [&] {
        Scope scope(runtime);
        scope.sleep(1h);
        throw std::runtime_error("out");
      }(),
      std::runtime_error);
}

TEST_CASE("a waiting unit takes at most 160 bytes") {
  using Small = BodyUnit<void (*)(int), Unit<int>>;
  CHECK(sizeof(Small) <= 160);
}

TEST_CASE("a simulation replays from its seed, and an hour takes no time") {
  auto run = [](uint64_t seed) {
    Sim sim(seed);
    Runtime runtime(sim);
    Scope scope(runtime);
    std::vector<int> order;
    for (int i = 0; i < 20; ++i) scope.spawn([&order, i] { order.push_back(i); });
    scope.spawn_after([&order] { order.push_back(-1); }, scope.sleep(1h));
    CHECK(scope.wait().has_value());
    CHECK(sim.now().nanoseconds() == 3'600'000'000'000);
    return order;
  };
  CHECK(run(7) == run(7));
  CHECK(run(7) != run(8));
}

TEST_CASE("a scope that keeps no failures tells of none, and each unit has its own") {
  Sim sim(1);
  Runtime runtime(sim);
  ScopeCore core(runtime.scheduler(), nullptr,
                 {.name = "careless",
                  .keep_going = true,
                  .keep_failures = false,
                  .deadline = tram::base::Time::never(),
                  .stop = {}});
  Unit<int> unit(&ExternalUnit<int>::make(core, "outside", {}));
  Promise<int> promise(&static_cast<ExternalUnit<int>&>(unit.base()));
  promise.set_error(Errc::failed);
  CHECK(core.wait());
  CHECK_FALSE(core.take_failures().has_value());
  CHECK(unit.get().error() == Errc::failed);
}
