// Random programs of coroutines beside an obvious model that computes the same one after the other.
//
// Each coroutine of a program awaits earlier ones in a way drawn from the seed, and yields and
// sleeps in between. What it gives does not depend on the order in which they run, so it is known
// beforehand.
#include <atomic>
#include <doctest/doctest.h>
#include <optional>
#include <set>

#include "tram/base/random.h"
#include "tram/work/sim.h"
#include "tram/work/task.h"
#include "tram/work/testing/test_seeds.h"

using namespace tram::work;
using tram::base::Duration;
using tram::base::Random;

namespace {

enum class Kind { value, fails, in_turn, all_of, settled_of, any_of, results_of, nested, kinds };

struct Step {
  Kind kind;
  std::vector<size_t> on;
  int number;
  int yields;  // Before it awaits, or, if negative, a sleep of so many milliseconds.
};
using Program = std::vector<Step>;

Program draw_program(Random& random, size_t size) {
  Program program;
  for (size_t i = 0; i < size; ++i) {
    Step step{static_cast<Kind>(random.below(static_cast<uint64_t>(Kind::kinds))),
              {},
              static_cast<int>(random.below(100)),
              static_cast<int>(random.below(6)) - 3};
    if (step.kind == Kind::fails && !random.one_in(3)) step.kind = Kind::value;
    if (i == 0 && step.kind != Kind::fails) step.kind = Kind::value;
    if (step.kind != Kind::value && step.kind != Kind::fails)
      for (size_t edges = 1 + random.below(4); edges > 0; --edges)
        step.on.push_back(random.below(i));
    program.push_back(step);
  }
  return program;
}

int add(int sum, int value) { return (sum + value) % 1000; }

// What each may give: a failure is nullopt. More than one only where any() chose.
using Possible = std::set<std::optional<int>>;

// Every sum of one possible value of each. `if_failed`: what a failure counts as; without it, a
// failure fails the sum.
Possible sums(const std::vector<Possible>& known, const Step& step, std::optional<int> if_failed) {
  Possible sums = {step.number};
  for (size_t on : step.on) {
    Possible longer;
    for (std::optional<int> sum : sums)
      for (std::optional<int> value : known[on]) {
        if (!value) value = if_failed;
        longer.insert(sum && value ? std::optional(add(*sum, *value)) : std::nullopt);
      }
    sums = std::move(longer);
  }
  return sums;
}

std::vector<Possible> model(const Program& program) {
  std::vector<Possible> known;
  for (const Step& step : program) {
    Possible possible;
    switch (step.kind) {
      case Kind::value:
        possible = {step.number};
        break;
      case Kind::fails:
        possible = {std::nullopt};
        break;
      case Kind::in_turn:
      case Kind::all_of:
      case Kind::nested:
        possible = sums(known, step, std::nullopt);
        break;
      case Kind::settled_of:
      case Kind::results_of:
        possible = sums(known, step, 1);
        break;
      case Kind::any_of: {
        bool all_may_fail = true;
        for (size_t on : step.on) {
          all_may_fail &= known[on].contains(std::nullopt);
          possible.insert(known[on].begin(), known[on].end());
        }
        if (!all_may_fail) possible.erase(std::nullopt);
        break;
      }
      case Kind::kinds:
        break;
    }
    known.push_back(std::move(possible));
  }
  return known;
}

std::atomic<int> alive = 0;
struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
};

Task<int> sum_of(std::vector<Unit<int>> on, int from, size_t at, Counted counted) {
  if (at == on.size()) co_return from;
  int value = co_await on[at];
  int rest = co_await sum_of(on, add(from, value), at + 1, counted);
  co_return rest;
}

Task<int> step_of(Step step, std::vector<Unit<int>> on, Counted counted, Context c) {
  Counted local;
  for (int i = 0; i < step.yields; ++i) co_await yield();
  if (step.yields < 0) co_await c.sleep(std::chrono::milliseconds(-step.yields));
  int sum = step.number;
  switch (step.kind) {
    case Kind::value:
    case Kind::kinds:
      break;
    case Kind::fails:
      throw std::runtime_error("drawn");
    case Kind::in_turn:
      for (const Unit<int>& unit : on) {
        int value = co_await unit;
        sum = add(sum, value);
      }
      break;
    case Kind::nested:
      sum = co_await sum_of(on, sum, 0, counted);
      break;
    case Kind::all_of: {
      std::vector<int> values = co_await all(std::move(on));
      for (int value : values) sum = add(sum, value);
      break;
    }
    case Kind::settled_of: {
      std::vector<Result<int>> results = co_await settled(on);
      for (const Result<int>& result : results) sum = add(sum, result.value_or(1));
      break;
    }
    case Kind::results_of:
      for (const Unit<int>& unit : on) {
        Result<int> result = co_await unit.as_result();
        sum = add(sum, result.value_or(1));
      }
      break;
    case Kind::any_of:
      sum = co_await any(std::move(on));
      break;
  }
  co_return sum;
}

std::vector<Unit<int>> spawn_program(const Scope& scope, const Program& program) {
  std::vector<Unit<int>> units;
  for (const Step& step : program) {
    std::vector<Unit<int>> on;
    for (size_t index : step.on) on.push_back(units[index]);
    units.push_back(scope.spawn(step_of, step, std::move(on), Counted()));
  }
  return units;
}

void run_program(Runtime& runtime, const Program& program) {
  std::vector<Possible> expected = model(program);
  {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    std::vector<Unit<int>> units = spawn_program(scope, program);
    for (size_t i = 0; i < units.size(); ++i) {
      CAPTURE(i);
      Result<int> result = units[i].get();
      CHECK(expected[i].contains(result ? std::optional(*result) : std::nullopt));
    }
  }
  CHECK(alive == 0);
}

}  // namespace

TEST_CASE("random programs of coroutines give what the model gives, in simulated orders") {
  for (uint64_t seed : test::seeds_from_environment(300)) {
    CAPTURE(seed);
    Random random(seed);
    Program program = draw_program(random, 5 + random.below(40));
    Sim sim(seed);
    Runtime runtime(sim);
    run_program(runtime, program);
  }
}

TEST_CASE("random programs of coroutines give what the model gives, on threads") {
  for (unsigned workers : {1U, 2U, 3U, 8U}) {
    Runtime runtime({.workers = workers});
    for (uint64_t seed : test::seeds_from_environment(40)) {
      CAPTURE(workers);
      CAPTURE(seed);
      Random random(seed);
      run_program(runtime, draw_program(random, 5 + random.below(60)));
    }
  }
}

// Cancels units, or the scope, at moments drawn from the seed. Whatever was to be given is given,
// or it was stopped; and nothing is left.
TEST_CASE("coroutines that are cancelled at any moment end, and what they hold is let go of") {
  for (uint64_t seed : test::seeds_from_environment(300)) {
    CAPTURE(seed);
    Random random(seed);
    Program program = draw_program(random, 5 + random.below(30));
    Sim sim(seed);
    Runtime runtime(sim);
    std::vector<Unit<int>> units;
    {
      Scope scope(runtime, {.deadline = Duration(std::chrono::milliseconds(random.below(12))),
                            .on_error = OnError::keep_going});
      units = spawn_program(scope, program);
      for (uint64_t cancels = random.below(6); cancels > 0; --cancels) {
        for (uint64_t steps = random.below(60); steps > 0; --steps) sim.step();
        units[random.below(units.size())].cancel();
      }
      if (random.one_in(3)) scope.cancel();
    }
    for (const Unit<int>& unit : units) {
      REQUIRE(unit.done());
      if (!unit.result().has_value()) {
        Errc code = unit.result().error().code();
        CHECK((code == Errc::failed || code == Errc::cancelled || code == Errc::timed_out));
      }
    }
    units.clear();
    sim.run_until_idle();  // What was cancelled before it began is still in a queue.
    CHECK(alive == 0);
  }
}

TEST_CASE("coroutines that are cancelled by another thread meanwhile end all the same") {
  for (unsigned workers : {1U, 2U, 8U}) {
    for (uint64_t seed : test::seeds_from_environment(40)) {
      CAPTURE(workers);
      CAPTURE(seed);
      std::optional<Runtime> runtime(std::in_place, Runtime::Options{.workers = workers});
      Random random(seed);
      Program program = draw_program(random, 60);
      {
        Scope scope(*runtime, {.on_error = OnError::keep_going});
        std::vector<Unit<int>> units = spawn_program(scope, program);
        for (int cancels = 0; cancels < 20; ++cancels) units[random.below(units.size())].cancel();
        if (random.one_in(2)) scope.cancel();
        for (const Unit<int>& unit : units) static_cast<void>(unit.get());
      }
      runtime.reset();  // What was cancelled before it began is still in a queue.
      CHECK(alive == 0);
    }
  }
}
