#include "tram/work/task.h"

#include <doctest/doctest.h>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "tram/work/testing/everywhere.h"

using namespace tram::work;
using namespace std::chrono_literals;
using tram::work::test::everywhere;

namespace {

// How many of it there are: one too few or too many is a leak, or a destruction too many.
struct Counted {
  explicit Counted(std::atomic<int>& of) : alive(&of) { ++*alive; }
  Counted(const Counted& other) : alive(other.alive) { ++*alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --*alive; }
  std::atomic<int>* alive;
};

Task<int> given(int n) { co_return n; }

Task<int64_t> sum_to(int64_t n) {
  if (n == 0) co_return 0;
  int64_t below = co_await sum_to(n - 1);
  co_return below + n;
}

bool thrown_text_is(const std::exception& e, std::string_view text) { return e.what() == text; }

}  // namespace

TEST_CASE("a unit ends with what its coroutine gives") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    Unit<int> direct = scope.spawn(given, 7);
    CHECK(direct.get() == 7);
    Unit<int64_t> deep = scope.spawn(sum_to, 100);
    CHECK(deep.get() == 5050);
    CHECK(sync_wait(runtime, sum_to(10)) == 55);
    auto nothing = scope.spawn([]() -> Task<> { co_return; });
    CHECK(nothing.get().has_value());
    auto result = scope.spawn([]() -> Task<Result<int>> { co_return failure(Errc::overloaded); });
    static_assert(std::same_as<decltype(result), Unit<int>>);
    auto seen = scope.spawn_after([](const Result<int>& r) { return r.error().code(); }, result);
    CHECK(seen.get() == Errc::overloaded);
    auto moved = scope.spawn(
        [](std::unique_ptr<int> p) -> Task<std::unique_ptr<int>> {
          co_await yield();
          co_return std::move(p);
        },
        std::make_unique<int>(9));
    CHECK(**std::move(moved).get() == 9);
  });
}

TEST_CASE("a coroutine awaits units that are waiting, running and done") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [gate, promise] = scope.external<int>();
    auto after = scope.spawn_after([](int n) { return n + 1; }, gate);
    auto body = [](Unit<int> a, Unit<int> b, Context c) -> Task<int> {
      int one = co_await a;
      const int& two = co_await b;
      auto third = c.spawn([](int n) { return n * 2; }, two);
      int doubled = co_await std::move(third);
      co_await c.sleep(1ms);
      co_return one + two + doubled;
    };
    auto early = scope.spawn(body, gate, after);
    promise.set_value(10);
    CHECK(early.get() == 10 + 11 + 22);
    auto late = scope.spawn(body, gate, after);
    CHECK(late.get() == 43);
  });
}

TEST_CASE("all, any and settled can be awaited, and a vector of units is all of them") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    auto sums = scope.spawn([](Context c) -> Task<int> {
      auto square = [](int n) { return n * n; };
      auto squares = c.spawn_each(square, std::vector{1, 2, 3});
      std::vector<int> copied = co_await squares;
      std::vector<int> moved = co_await all(std::move(squares));
      std::vector<int> none = co_await std::vector<Unit<int>>();
      auto sleeps = c.spawn_each([](int) {}, std::vector{1, 2});
      co_await sleeps;
      co_return copied == moved&& none.empty() ? moved[0] + moved[1] + moved[2] : -1;
    });
    CHECK(sums.get() == 14);
    auto mixed = scope.spawn([](Context c) -> Task<int> {
      auto fails = []() -> int { throw std::runtime_error("no"); };
      auto five = [] { return 5; };
      std::vector<Unit<int>> units;
      units.push_back(c.spawn(fails));
      units.push_back(c.spawn(five));
      units.push_back(c.external<int>().unit);  // Dropped: it is cancelled.
      std::vector<Unit<int>> same = units;
      int first = co_await any(std::move(same));
      std::vector<Result<int>> results = co_await settled(units);
      bool as_they_are = !results[0] && results[1] == 5 && results[2].error() == Errc::cancelled;
      Result<int> failed = co_await units[0].as_result();
      Result<int> too = co_await settled(units[1]);
      std::vector<Unit<int>> bad = {units[0], units[2]};
      bool threw = false;
      try {
        co_await any(std::move(bad));
      } catch (const std::runtime_error& e) {
        threw = thrown_text_is(e, "no");
      }
      co_return as_they_are&& threw && !failed && too == 5 ? first : -1;
    });
    CHECK(mixed.get() == 5);
  });
}

TEST_CASE("any() goes on with the first, while others still run") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [never, promise] = scope.external<int>();
    auto [soon, soon_promise] = scope.external<int>();
    auto first = scope.spawn(
        [](std::vector<Unit<int>> units) -> Task<int> { co_return co_await any(std::move(units)); },
        std::vector{never, soon});
    soon_promise.set_value(3);
    CHECK(first.get() == 3);
    CHECK_FALSE(never.done());
    promise.set_value(4);
  });
}

TEST_CASE("a failure is thrown where it is awaited, and what is not caught is the unit's") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    auto bad = scope.spawn([]() -> int { throw std::invalid_argument("bad number"); });
    auto caught = scope.spawn(
        [](Unit<int> u) -> Task<std::string> {
          std::string text;
          try {
            co_await u;
          } catch (const std::invalid_argument& e) {
            text = e.what();
          }
          co_await yield();
          co_return text;
        },
        bad);
    CHECK(caught.get() == "bad number");
    struct Levels {
      static Task<int> lowest(Unit<int> u) {
        int n = co_await u;
        co_return n;
      }
      static Task<int> middle(Unit<int> u) { co_return co_await lowest(u); }
    };
    auto whole = scope.spawn(Name("levels"), Levels::middle, bad);
    CHECK_THROWS_AS(whole.value(), std::invalid_argument);
    CHECK(whole.get().error().detail() == "bad number");
    CHECK(whole.get().error().where() == "levels");
    auto direct = sync_wait(runtime, []() -> Task<int> {
      throw Failure(Error(Errc::overloaded));
      co_return 1;
    }());
    CHECK(direct.error() == Errc::overloaded);
  });
}

TEST_CASE("a coroutine that waits holds no thread") {
  for (unsigned workers : {1U, 2U}) {
    Runtime runtime({.workers = workers, .blocking_max = 0});
    Scope scope(runtime);
    auto [gate, promise] = scope.external<int>();
    auto wait = [](Unit<int> u) -> Task<int> { co_return co_await u; };
    std::vector<Unit<int>> units;
    for (int i = 0; i < 10'000; ++i) units.push_back(scope.spawn(wait, gate));
    auto last = scope.spawn_after(
        [](std::vector<int> v) { return std::accumulate(v.begin(), v.end(), 0); }, all(units));
    promise.set_value(1);
    CHECK(last.get() == 10'000);
    CHECK(runtime.threads() == workers);
  }
}

TEST_CASE("a million coroutines deep or in a row need no stack") {
  Runtime runtime({.workers = 2});
  CHECK(sync_wait(runtime, sum_to(1'000'000)) == 500'000'500'000);
  auto row = [](int n) -> Task<int> {
    int sum = 0;
    for (int i = 0; i < n; ++i) sum += co_await given(1);
    co_return sum;
  };
  CHECK(sync_wait(runtime, row(1'000'000)) == 1'000'000);
  // Units that each await the next: ends travel back up.
  struct Chain {
    static Task<int> link(int n, Context c) {
      if (n == 0) co_return 0;
      Unit<int> next = c.spawn(link, n - 1);
      int below = co_await next;
      co_return below + 1;
    }
  };
  Scope scope(runtime);
  CHECK(scope.spawn(Chain::link, 200'000).get() == 200'000);
}

TEST_CASE("a stopped scope ends what a coroutine awaits, and its locals are destroyed once") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> alive = 0;
    {
      Scope scope(runtime);
      auto [gate, promise] = scope.external<int>();
      auto waits = [](Unit<int> u, Counted parameter, Context c) -> Task<int> {
        // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): its life is what is counted.
        Counted local(parameter);
        auto inner = [](Counted, Unit<int> v) -> Task<int> {
          int n = co_await v;
          co_return n;
        };
        auto task = inner(local, u);
        auto other = c.spawn_after([](int n) { return n; }, u);
        int sum = co_await std::move(task);
        sum += co_await other;
        co_return sum;
      };
      std::vector<Unit<int>> units;
      for (int i = 0; i < 10; ++i) units.push_back(scope.spawn(waits, gate, Counted(alive)));
      scope.cancel();
      for (Unit<int>& unit : units) CHECK(unit.get().error() == Errc::cancelled);
      auto asleep = scope.spawn([](Context c) -> Task<> { co_await c.sleep(1h); });
      CHECK(asleep.get().error() == Errc::cancelled);
    }
    CHECK(alive == 0);
  });
}

TEST_CASE("a deadline ends a coroutine that sleeps") {
  Sim sim(5);
  Runtime runtime(sim);
  Scope scope(runtime, {.deadline = 20ms});
  auto unit = scope.spawn([](Context c) -> Task<int> {
    co_await c.sleep(1h);
    co_return 1;
  });
  CHECK(unit.get().error() == Errc::timed_out);
  CHECK(sim.now() < tram::base::Time::from_nanoseconds(30'000'000));
}

TEST_CASE("a scope that stops is heard by a coroutine that waits for a unit of another scope") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> alive = 0;
    Scope elsewhere(runtime);
    auto [gate, promise] = elsewhere.external<int>();
    {
      Scope scope(runtime);
      auto [begun, begun_promise] = scope.external<void>();
      auto thrown = scope.spawn(
          [&](Unit<int> u, Counted) -> Task<int> {
            begun_promise.set_value();
            co_return co_await u;
          },
          gate, Counted(alive));
      auto told = scope.spawn(
          [](Unit<int> u, Unit<void> first) -> Task<Errc> {
            co_await first;
            std::vector<Unit<int>> units = {u};
            std::vector<Result<int>> results = co_await settled(units);
            Result<int> later = co_await u.as_result();
            co_return later.error().code() == results[0].error().code() ? later.error().code()
                                                                        : Errc::failed;
          },
          gate, begun);
      auto later = scope.spawn(
          [](Unit<int> u, Context c) -> Task<int> {
            while (!c.stopped()) {
              try {
                co_await yield();
              } catch (const Failure&) {
              }
            }
            co_return co_await u;
          },
          gate);
      CHECK(begun.get().has_value());
      scope.cancel();
      CHECK(thrown.get().error() == Errc::cancelled);
      // Either it looked, or it was stopped before it could.
      Result<Errc> seen = told.get();
      CHECK((seen ? *seen : seen.error().code()) == Errc::cancelled);
      CHECK(later.get().error() == Errc::cancelled);
    }
    CHECK(alive == 0);
    CHECK_FALSE(gate.done());
    promise.set_value(1);
  });
}

TEST_CASE("a deadline is heard by a coroutine that waits for a unit of another scope") {
  Sim sim(6);
  Runtime runtime(sim);
  Scope outer(runtime);
  auto slow = outer.sleep(1h);
  auto waits = outer.spawn(
      [](Unit<void> unit, Context c) -> Task<Errc> {
        Scope inner(c, {.deadline = 20ms});
        auto within = inner.spawn([](Unit<void> u) -> Task<> { co_await u; }, unit);
        Result<void> result = co_await within.as_result();
        co_return result.error().code();
      },
      slow);
  CHECK(waits.get() == Errc::timed_out);
  CHECK(sim.now() < tram::base::Time::from_nanoseconds(30'000'000));
  auto awaits = [](Unit<void> unit) -> Task<> { co_await unit; };
  CHECK(sync_wait(runtime, awaits(slow), {.deadline = 20ms}).error() == Errc::timed_out);
  CHECK(sim.now() < tram::base::Time::from_nanoseconds(60'000'000));
  slow.cancel();
}

TEST_CASE(
    "a coroutine is told why what it awaits failed, although that failure stopped its scope") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [gate, promise] = scope.external<int>();
    std::atomic<int> begun = 0;
    std::atomic<int> right = 0;
    auto awaits = [&](Unit<int> unit) -> Task<> {
      ++begun;
      Result<int> result = co_await unit.as_result();
      if (result.error().detail() == "the reason") ++right;
      try {
        co_await unit;
      } catch (const std::runtime_error& error) {
        if (thrown_text_is(error, "the reason")) ++right;
      }
    };
    auto bad = scope.spawn_after([](int) -> int { throw std::runtime_error("the reason"); }, gate);
    auto direct = scope.spawn(awaits, bad);
    // Also from a scope within, which stops with the other.
    auto nested = scope.spawn([&](Context c) -> Task<> {
      Scope inner(c);
      auto within = inner.spawn(awaits, bad);
      co_await within.as_result();
    });
    auto both = scope.spawn([&]() -> Task<> {
      while (begun < 2) co_await yield();
    });
    CHECK(both.get().has_value());
    promise.set_value(1);
    CHECK(scope.wait().error().detail() == "the reason");
    CHECK(right == 4);
  });
}

TEST_CASE("yield is a place where a coroutine is told that it is to stop") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [begun, begun_promise] = scope.external<void>();
    auto forever = [](Promise<void> told) -> Task<> {
      told.set_value();
      for (;;) co_await yield();
    };
    auto alone = scope.spawn(forever, std::move(begun_promise));
    CHECK(begun.get().has_value());
    alone.cancel();
    CHECK(alone.get().error() == Errc::cancelled);
    auto [again, again_promise] = scope.external<void>();
    auto stopped = scope.spawn(forever, std::move(again_promise));
    CHECK(again.get().has_value());
    scope.cancel();
    CHECK(stopped.get().error() == Errc::cancelled);
  });
}

TEST_CASE("a coroutine whose unit alone is cancelled is told by what it awaits") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> alive = 0;
    {
      Scope scope(runtime);
      auto [gate, promise] = scope.external<int>();
      auto [begun, begun_promise] = scope.external<void>();
      std::atomic<int> told = 0;
      auto waits = scope.spawn(
          [&](Unit<int> u, Counted) -> Task<int> {
            Counted local(alive);
            begun_promise.set_value();
            try {
              co_await u;
            } catch (const Failure& failure) {
              if (failure.error() == Errc::cancelled) ++told;
            }
            int n = co_await u;  // Every wait from now on.
            co_return n;
          },
          gate, Counted(alive));
      CHECK(begun.get().has_value());
      waits.cancel();
      CHECK(waits.get().error() == Errc::cancelled);
      CHECK(told == 1);
      CHECK_FALSE(gate.done());
      promise.set_value(1);  // It is awaited by nobody any more.
      CHECK(scope.wait().has_value());
    }
    CHECK(alive == 0);
  });
}

TEST_CASE("cancelling races with what is awaited, and one of them wins") {
  for (unsigned workers : {1U, 2U, 3U, 8U}) {
    Runtime runtime({.workers = workers});
    for (int round = 0; round < 300; ++round) {
      Scope scope(runtime);
      auto [gate, promise] = scope.external<int>();
      auto unit = scope.spawn(
          [](Unit<int> u, Context c) -> Task<int> {
            int sum = co_await u;
            auto another = c.spawn([] { return 1; });
            sum += co_await another;
            co_return sum;
          },
          gate);
      std::jthread canceller([&] { unit.cancel(); });
      promise.set_value(1);
      Result<int> result = unit.get();
      CHECK((result == 2 || (!result && result.error() == Errc::cancelled)));
    }
  }
}

TEST_CASE("a circle of coroutines is named, not suffered") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    auto [gate, promise] = scope.external<void>();
    Unit<int> hen;
    Unit<int> egg;
    hen = scope.spawn_after(
        Name("hen"),
        [&]() -> Task<int> {
          std::vector<Unit<int>> units = {egg};
          std::vector<int> values = co_await all(std::move(units));
          co_return values[0];
        },
        gate);
    egg = scope.spawn_after(Name("egg"), [&]() -> Task<int> { co_return co_await hen; }, gate);
    promise.set_value();
    Error error = egg.get().error();
    CHECK(hen.get().error() == Errc::deadlock);
    CHECK(error == Errc::deadlock);
    CHECK(error.text().find("hen") != std::string::npos);
    CHECK(error.text().find("egg") != std::string::npos);
    hen = {};
    egg = {};
  });
}

// Who has waited for long is not looked at again, and is yet part of what is found.
TEST_CASE("a circle that is closed late is named") {
  auto test = [](Runtime& runtime, auto settle) {
    Scope elsewhere(runtime);
    auto [gate, promise] = elsewhere.external<int>();
    auto [other_gate, other_promise] = elsewhere.external<int>();
    Scope scope(runtime, {.on_error = OnError::keep_going});
    Unit<int> last;
    auto first = scope.spawn(
        Name("first"),
        [&last](Unit<int> open) -> Task<int> {
          co_await open;
          int n = co_await last;
          co_return n;
        },
        gate);
    auto second = scope.spawn_after(Name("second"), [](int n) { return n; }, first);
    auto third = scope.spawn(
        Name("third"),
        [](Unit<int> unit, Unit<int> never) -> Task<int> {
          std::vector<Unit<int>> units = {unit, never};
          int n = co_await any(std::move(units));
          co_return n;
        },
        second, other_gate);
    last = scope.spawn(
        Name("last"), [](Unit<int> unit) -> Task<int> { co_return co_await unit; }, third);
    settle();
    promise.set_value(1);
    settle();
    CHECK_FALSE(last.done());
    // Now there is only one that could succeed.
    other_promise.set_error(Errc::failed);
    Error error = first.get().error();
    CHECK(error.code() == Errc::deadlock);
    for (const char* name : {"first", "second", "third", "last"})
      CHECK(error.text().find(name) != std::string::npos);
    CHECK_FALSE(last.get().has_value());
    last = {};
  };
  for (unsigned workers : {1U, 2U, 8U}) {
    Runtime runtime({.workers = workers});
    test(runtime, [&] {
      for (int i = 0; i < 100; ++i)
        while (!runtime.idle()) std::this_thread::yield();
    });
  }
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Sim sim(seed);
    Runtime runtime(sim);
    test(runtime, [&] { sim.run_until_idle(); });
  }
}

TEST_CASE("what a coroutine was spawned with lives as long as it does") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> alive = 0;
    Scope scope(runtime);
    auto [gate, promise] = scope.external<void>();
    std::string text = "long enough to need memory of its own";
    auto number = scope.spawn([] { return std::string("a number that is not short either"); });
    auto unit = scope.spawn_after(
        [text, counted = Counted(alive)](const std::string& value,
                                         const std::vector<std::string>& all_of_them,
                                         std::string&& moved, Context c) -> Task<size_t> {
          co_await c.sleep(1ms);
          co_return text.size() + value.size() + all_of_them.at(0).size() + moved.size();
        },
        number, all(number), text);
    CHECK(unit.get() == 2 * text.size() + 2 * 33);
    CHECK(alive == 0);
    promise.set_value();
  });
}

TEST_CASE("yield lets others run") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Sim sim(seed);
    Runtime runtime(sim);
    Scope scope(runtime);
    bool flag = false;
    auto waits = scope.spawn([&]() -> Task<int> {
      int turns = 0;
      for (; !flag; ++turns) co_await yield();
      co_return turns;
    });
    scope.spawn([&] { flag = true; });
    CHECK(waits.get().has_value());
  }
  Runtime one({.workers = 1});
  Scope scope(one);
  std::vector<int> order;
  auto turns = [&order](int who) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      order.push_back(who);
      co_await yield();
    }
  };
  auto all_of_them = scope.spawn([&](Context c) { c.spawn(turns, 1), c.spawn(turns, 2); });
  CHECK(scope.wait().has_value());
  // Each in turn: nobody twice before the other has been once.
  REQUIRE(order.size() == 6);
  for (size_t i = 0; i < 6; i += 2) CHECK(order[i] != order[i + 1]);
}

TEST_CASE("a coroutine that never has to wait gives way now and then") {
  Runtime one({.workers = 1});
  Scope scope(one);
  std::atomic<bool> flag = false;
  auto spins = scope.spawn([&](Context c) -> Task<> {
    auto ready = c.spawn([] {});
    co_await ready;
    while (!flag) co_await ready;
  });
  auto hops = scope.spawn([&]() -> Task<> {
    while (!flag) co_await given(1);
  });
  scope.spawn([&] { flag = true; });
  CHECK(spins.get().has_value());
  CHECK(hops.get().has_value());
}

TEST_CASE("a task awaited twice says so, and one that never ran costs nothing") {
  everywhere([](Runtime& runtime) {
    std::atomic<int> alive = 0;
    auto holds = [](Counted) -> Task<int> { co_return 1; };
    {
      auto dropped = holds(Counted(alive));
      CHECK(alive == 1);
      CHECK(dropped.valid());
    }
    CHECK(alive == 0);
    auto twice = sync_wait(runtime, []() -> Task<int> {
      auto task = given(1);
      int sum = co_await std::move(task);
      sum += co_await std::move(task);  // NOLINT(bugprone-use-after-move): that is the mistake.
      co_return sum;
    }());
    CHECK(twice.error() == Errc::closed);
    CHECK(twice.error().text().find("awaited") != std::string::npos);
    auto empty = sync_wait(runtime, Task<int>());
    CHECK(empty.error() == Errc::closed);
  });
}

TEST_CASE("whatever has a unit can be awaited") {
  struct Reply {
    Unit<int> unit() const { return answer; }
    Unit<int> answer;
  };
  everywhere([](Runtime& runtime) {
    Scope scope(runtime);
    auto [unit, promise] = scope.external<int>();
    auto reads =
        scope.spawn([](Reply reply) -> Task<int> { co_return co_await reply; }, Reply{unit});
    promise.set_value(12);
    CHECK(reads.get() == 12);
  });
}

TEST_CASE("a coroutine that blocks is replaced, and may still await") {
  Runtime runtime({.workers = 1, .blocking_max = 4});
  Scope scope(runtime);
  std::atomic<int> blocked = 0;
  auto body = [&](Context c) -> Task<int> {
    c.blocking([&] {
      ++blocked;
      while (blocked < 3) std::this_thread::yield();
    });
    co_await c.sleep(1ms);
    auto next = c.spawn([] { return 2; });
    co_return co_await next;
  };
  std::vector<Unit<int>> units;
  for (int i = 0; i < 3; ++i) units.push_back(scope.spawn(body));
  for (auto& unit : units) CHECK(unit.get() == 2);
}

TEST_CASE("a unit that is no coroutine pays nothing for them") {
  CHECK(sizeof(BodyUnit<void (*)(int), Unit<int>>) <= 144);
}

TEST_CASE("a simulation of coroutines replays from its seed") {
  auto run = [](uint64_t seed) {
    Sim sim(seed);
    Runtime runtime(sim);
    Scope scope(runtime);
    std::vector<int> order;
    auto body = [&order](int who) -> Task<> {
      for (int i = 0; i < 3; ++i) {
        order.push_back(who);
        co_await yield();
      }
    };
    for (int i = 0; i < 10; ++i) scope.spawn(body, i);
    CHECK(scope.wait().has_value());
    return order;
  };
  CHECK(run(7) == run(7));
  CHECK(run(7) != run(8));
}
