// What it costs to find out who gets a message.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <string>
#include <vector>

#include "tram/broker/router.h"

using namespace tram::broker;

namespace {

std::string subject(uint64_t i) { return fmt::format("orders.{}.paid", i); }

// Literal subjects to be among, as a broker has them, and the subjects to ask for: enough that
// the answers are not all in the nearest cache.
struct World {
  Router router;
  std::vector<std::string> subjects;
  uint64_t last_id = 0;

  explicit World(uint64_t literals) {
    for (uint64_t i = 0; i < literals; ++i) add(subject(i));
    for (uint64_t i = 0; i < 1'024; ++i)
      subjects.push_back(subject(i * 977 % std::max<uint64_t>(literals, 1)));
  }
  void add(const std::string& pattern, const char* group = "") {
    router.subscribe({++last_id}, pattern, group);
  }
};

void ask(benchmark::State& state, World& world) {
  uint64_t i = 0;
  for (auto _ : state) {
    auto receivers = world.router.route(world.subjects[i++ & 1023]);
    benchmark::DoNotOptimize(receivers.data());
    benchmark::DoNotOptimize(receivers.size());
  }
}

void literal_hit(benchmark::State& state) {
  World world(static_cast<uint64_t>(state.range(0)));
  ask(state, world);
}
BENCHMARK(literal_hit)->Arg(1)->Arg(1'000)->Arg(100'000);

void literal_miss(benchmark::State& state) {
  World world(static_cast<uint64_t>(state.range(0)));
  for (auto& text : world.subjects) text += "x";
  ask(state, world);
}
BENCHMARK(literal_miss)->Arg(1)->Arg(100'000);

void one_wildcard_that_matches(benchmark::State& state) {
  World world(1'000);
  world.add("orders.>");
  ask(state, world);
}
BENCHMARK(one_wildcard_that_matches);

void one_wildcard_that_does_not(benchmark::State& state) {
  World world(1'000);
  world.add("_INBOX.x.>");
  ask(state, world);
}
BENCHMARK(one_wildcard_that_does_not);

void three_level_wildcard(benchmark::State& state) {
  World world(1'000);
  world.add("orders.*.paid");
  ask(state, world);
}
BENCHMARK(three_level_wildcard);

void thousand_wildcards(benchmark::State& state) {
  World world(1'000);
  for (uint64_t i = 0; i < 1'000; ++i) world.add(fmt::format("orders.{}.*", i));
  ask(state, world);
}
BENCHMARK(thousand_wildcards);

void group_of_4(benchmark::State& state) {
  World world(0);
  for (int i = 0; i < 4; ++i) world.add(subject(0), "workers");
  ask(state, world);
}
BENCHMARK(group_of_4);

void thousand_receivers(benchmark::State& state) {
  World world(0);
  for (int i = 0; i < 1'000; ++i) world.add(subject(0));
  ask(state, world);
}
BENCHMARK(thousand_receivers);

void subscribe_and_leave(benchmark::State& state) {
  World world(100'000);
  std::string pattern = subject(200'000);
  for (auto _ : state) {
    world.router.subscribe({1'000'000}, pattern, "");
    benchmark::DoNotOptimize(world.router.unsubscribe({1'000'000}, pattern, ""));
  }
}
BENCHMARK(subscribe_and_leave);

void validate_subject(benchmark::State& state) {
  std::string text = subject(12'345);
  for (auto _ : state) {
    benchmark::DoNotOptimize(text.data());
    benchmark::DoNotOptimize(valid_subject(text));
  }
}
BENCHMARK(validate_subject);

}  // namespace
