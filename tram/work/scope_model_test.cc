// Random programs of units beside an obvious model that computes the same one after the other.
//
// A program is a list of units; each depends on earlier ones in a way drawn from the seed. What a
// unit gives does not depend on the order in which units run, so it is known beforehand.

#include <doctest/doctest.h>
#include <optional>
#include <set>

#include "tram/base/random.h"
#include "tram/work/scope.h"
#include "tram/work/sim.h"

using namespace tram::work;
using tram::base::Random;

namespace {

enum class Kind {
  value,
  fails,
  after_two,
  all_of,
  settled_of,
  any_of,
  flattened,
  outside,
  late,
  kinds
};

struct Step {
  Kind kind;
  std::vector<size_t> on;
  int number;
};

std::vector<Step> draw_program(Random& random, size_t size) {
  std::vector<Step> program;
  for (size_t i = 0; i < size; ++i) {
    Step step{static_cast<Kind>(random.below(static_cast<uint64_t>(Kind::kinds))),
              {},
              static_cast<int>(random.below(100))};
    if (step.kind == Kind::fails && !random.one_in(3)) step.kind = Kind::value;
    if (i < 3 && step.kind != Kind::fails && step.kind != Kind::outside) step.kind = Kind::value;
    size_t edges =
        step.kind == Kind::after_two ? 2
        : step.kind == Kind::late    ? 1
        : step.kind == Kind::value || step.kind == Kind::fails || step.kind == Kind::outside
            ? 0
            : 1 + random.below(5);
    for (size_t e = 0; e < edges; ++e) step.on.push_back(random.below(i));
    program.push_back(step);
  }
  return program;
}

// What each unit may give: a failure is nullopt. More than one only where any() chose.
using Possible = std::set<std::optional<int>>;

// Every sum of one possible value of each, starting from `number`. `if_failed`: what a failure
// counts as; without it, a failure fails the sum.
Possible sums(const std::vector<Possible>& known, const Step& step, std::optional<int> if_failed) {
  Possible sums = {step.number};
  for (size_t on : step.on) {
    Possible longer;
    for (std::optional<int> sum : sums)
      for (std::optional<int> value : known[on]) {
        if (!value) value = if_failed;
        longer.insert(sum && value ? std::optional((*sum + *value) % 1000) : std::nullopt);
      }
    sums = std::move(longer);
  }
  return sums;
}

std::vector<Possible> model(const std::vector<Step>& program) {
  std::vector<Possible> known;
  for (const Step& step : program) {
    Possible possible;
    switch (step.kind) {
      case Kind::value:
      case Kind::outside:
        possible = {step.number};
        break;
      case Kind::fails:
        possible = {std::nullopt};
        break;
      case Kind::after_two:
      case Kind::all_of:
      case Kind::flattened:
        possible = sums(known, step, std::nullopt);
        break;
      case Kind::settled_of:
        possible = sums(known, step, 1);
        break;
      case Kind::late:
        for (std::optional<int> value : known[step.on[0]])
          possible.insert(value ? std::optional(step.number) : std::nullopt);
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

void run_program(Runtime& runtime, const std::vector<Step>& program, uint64_t seed) {
  Random random(seed);
  std::vector<Possible> expected = model(program);
  Scope scope(runtime, {.on_error = OnError::keep_going});
  std::vector<Unit<int>> units;
  std::vector<std::pair<Promise<int>, int>> promises;
  for (const Step& step : program) {
    std::vector<Unit<int>> on;
    for (size_t index : step.on) on.push_back(units[index]);
    int number = step.number;
    auto sum = [number](const std::vector<int>& values) {
      int total = number;
      for (int value : values) total = (total + value) % 1000;
      return total;
    };
    switch (step.kind) {
      case Kind::value:
        units.push_back(scope.spawn([number] { return number; }));
        break;
      case Kind::fails:
        units.push_back(
            scope.spawn([]() -> Result<int> { return failure(Errc::failed, "drawn"); }));
        break;
      case Kind::after_two:
        units.push_back(scope.spawn_after(
            [number](int a, int b) { return ((number + a) % 1000 + b) % 1000; }, on[0], on[1]));
        break;
      case Kind::all_of:
        units.push_back(scope.spawn_after(sum, all(on)));
        break;
      case Kind::settled_of:
        units.push_back(scope.spawn_after(
            [number](const std::vector<Result<int>>& results) {
              int total = number;
              for (const auto& result : results) total = (total + result.value_or(1)) % 1000;
              return total;
            },
            settled(on)));
        break;
      case Kind::any_of:
        units.push_back(scope.spawn_after([](int n) { return n; }, any(on)));
        break;
      case Kind::flattened:
        units.push_back(scope.spawn([on, sum](Context c) { return c.spawn_after(sum, all(on)); }));
        break;
      case Kind::outside: {
        auto [unit, promise] = scope.external<int>();
        units.push_back(unit);
        promises.emplace_back(std::move(promise), number);
        break;
      }
      case Kind::late: {
        auto unit = scope.spawn([number] { return number; });
        // If it is done already, the model cannot know; then it is made again with a plain edge.
        if (!unit.after(on[0]).has_value())
          unit = scope.spawn_after([number](int) { return number; }, on[0]);
        units.push_back(unit);
        break;
      }
      case Kind::kinds:
        break;
    }
    while (!promises.empty() && random.one_in(2)) {
      size_t index = random.below(promises.size());
      std::swap(promises[index], promises.back());
      promises.back().first.set_value(promises.back().second);
      promises.pop_back();
    }
  }
  for (auto& [promise, number] : promises) promise.set_value(number);
  for (size_t i = 0; i < units.size(); ++i) {
    CAPTURE(i);
    Result<int> result = units[i].get();
    std::optional<int> got = result ? std::optional(*result) : std::nullopt;
    CHECK(expected[i].contains(got));
  }
}

}  // namespace

TEST_CASE("random programs give what the model gives, in simulated orders") {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    auto program = draw_program(random, 5 + random.below(40));
    Sim sim(seed);
    Runtime runtime(sim);
    run_program(runtime, program, seed);
  }
}

TEST_CASE("random programs give what the model gives, on threads") {
  for (unsigned workers : {1U, 2U, 3U, 8U}) {
    Runtime runtime({.workers = workers});
    for (uint64_t seed = 1000; seed <= 1060; ++seed) {
      CAPTURE(workers);
      CAPTURE(seed);
      Random random(seed);
      run_program(runtime, draw_program(random, 5 + random.below(60)), seed);
    }
  }
}

TEST_CASE("a scope that is cancelled at any moment ends, and every unit has a result") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    auto program = draw_program(random, 30);
    Sim sim(seed);
    Runtime runtime(sim);
    std::vector<Unit<int>> units;
    {
      Scope scope(runtime);
      std::vector<Promise<int>> kept;
      for (const Step& step : program) {
        auto [unit, promise] = scope.external<int>();
        if (random.one_in(2)) kept.push_back(std::move(promise));
        units.push_back(unit);
        std::vector<Unit<int>> on;
        for (size_t index : step.on) on.push_back(units[index]);
        if (!on.empty())
          units.push_back(scope.spawn_after(
              [](const std::vector<int>& values) { return static_cast<int>(values.size()); },
              all(on)));
        for (uint64_t steps = random.below(3); steps > 0; --steps) sim.step();
      }
      scope.cancel();
    }
    for (const Unit<int>& unit : units) CHECK(unit.done());
  }
}
