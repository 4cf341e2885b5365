// What a stored message costs the state machine, in time and in memory.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <string>

#include "tram/broker/broker.h"

using namespace tram::broker;
using tram::base::Time;

namespace {

const std::string payload(100, 'x');

void put(Broker& broker, Effects& effects, Time now) {
  Command command = Put{"jobs", Content("", payload)};
  broker.apply(command, {1}, {1}, now, effects);
}

// One message through its whole life, with `range` others ready behind it.
void put_take_ack(benchmark::State& state) {
  Broker broker(0, {});
  Effects effects;
  Time now = Time::from_nanoseconds(1);
  for (int64_t i = 0; i < state.range(0); ++i) put(broker, effects, now);
  for (auto _ : state) {
    now = now + std::chrono::microseconds(1);
    effects.clear();
    put(broker, effects, now);
    Command take = Take{.queue = "jobs"};
    broker.apply(take, {2}, {2}, now, effects);
    const auto& delivery = std::get<Delivery>(effects.replies.back().reply);
    Command ack = Ack{"jobs", delivery.id, delivery.token};
    broker.apply(ack, {2}, {3}, now, effects);
  }
}
BENCHMARK(put_take_ack)->Arg(0)->Arg(100'000);

// Someone waits already: the put is a delivery.
void put_to_waiting_taker(benchmark::State& state) {
  Broker broker(0, {});
  Effects effects;
  Time now = Time::from_nanoseconds(1);
  for (auto _ : state) {
    now = now + std::chrono::microseconds(1);
    effects.clear();
    Command take = Take{.queue = "jobs", .wait = std::chrono::seconds(10)};
    broker.apply(take, {2}, {2}, now, effects);
    put(broker, effects, now);
    const auto& delivery = std::get<Delivery>(effects.replies.back().reply);
    Command ack = Ack{"jobs", delivery.id, delivery.token};
    broker.apply(ack, {2}, {3}, now, effects);
  }
}
BENCHMARK(put_to_waiting_taker);

// Ten thousand out on lease, each given back and taken again in turn.
void release_and_take(benchmark::State& state) {
  Broker broker(0, {});
  Effects effects;
  Time now = Time::from_nanoseconds(1);
  for (int i = 0; i < 10'000; ++i) put(broker, effects, now);
  effects.clear();
  Command all = Take{.queue = "jobs", .count = 10'000};
  broker.apply(all, {2}, {2}, now, effects);
  auto held = std::get<Delivery>(effects.replies[5'000].reply);
  for (auto _ : state) {
    effects.clear();
    Command release = Release{"jobs", held.id, held.token};
    broker.apply(release, {2}, {3}, now, effects);
    Command take = Take{.queue = "jobs"};
    broker.apply(take, {2}, {2}, now, effects);
    held = std::get<Delivery>(effects.replies.back().reply);
  }
}
BENCHMARK(release_and_take);

size_t allocated() {
  auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Bytes that the allocator has handed out for each of 100,000 ready messages of 100 bytes, and
// what is still out when they have been purged.
void memory_per_message(benchmark::State& state) {
  constexpr int messages = 100'000;
  for (auto _ : state) {
    Broker broker(0, {});
    Effects effects;
    effects.replies.reserve(1);
    size_t before = allocated();
    for (int i = 0; i < messages; ++i) {
      effects.clear();
      put(broker, effects, {});
    }
    size_t full = allocated();
    Command purge = PurgeQueue{"jobs"};
    broker.apply(purge, {1}, {1}, {}, effects);
    size_t after = allocated();
    state.counters["bytes_each"] = static_cast<double>(full - before) / messages;
    state.counters["bytes_left"] = static_cast<double>(after) - static_cast<double>(before);
  }
}
BENCHMARK(memory_per_message)->Iterations(1);

}  // namespace
