#include "tram/work/channel.h"

#include <atomic>
#include <deque>
#include <thread>

#include "tram/base/random.h"
#include "tram/work/testing/everywhere.h"

using namespace tram::work;
using namespace std::chrono_literals;
using tram::work::test::everywhere;
using tram::work::test::in_simulation;

TEST_CASE("a channel gives what was put into it, in that order, with and without room") {
  everywhere([](Runtime& runtime) {
    for (size_t capacity : {size_t{0}, size_t{1}, size_t{7}, unbounded}) {
      CAPTURE(capacity);
      Channel<int> channel(runtime, {.capacity = capacity});
      Scope scope(runtime);
      scope.spawn([&] {
        for (int i = 0; i < 100; ++i)
          if (!channel.push(i)) return;
        channel.close();
      });
      std::vector<int> got;
      while (Result<int> value = channel.pop()) got.push_back(*value);
      REQUIRE(got.size() == 100);
      for (int i = 0; i < 100; ++i) CHECK(got[static_cast<size_t>(i)] == i);
    }
  });
}

TEST_CASE("a full channel says so to who will not wait, and keeps the value with its owner") {
  everywhere([](Runtime& runtime) {
    Channel<std::unique_ptr<int>> channel(runtime, {.capacity = 1});
    CHECK(channel.try_push(std::make_unique<int>(1)).has_value());
    auto second = std::make_unique<int>(2);
    CHECK(channel.try_push(std::move(second)).error() == Errc::overloaded);
    REQUIRE(second != nullptr);
    CHECK(channel.push(std::move(second), {.deadline = runtime.now() + 1ms}).error() ==
          Errc::timed_out);
    CHECK(second != nullptr);
    CHECK(**channel.pop() == 1);
    CHECK_FALSE(channel.try_pop()->has_value());
  });
}

TEST_CASE("closed, it gives what it holds and then says so; stopped, it drops everything") {
  everywhere([](Runtime& runtime) {
    Channel<int> channel(runtime, {.capacity = 4});
    REQUIRE(channel.push(1).has_value());
    REQUIRE(channel.push(2).has_value());
    channel.close();
    CHECK(channel.push(3).error() == Errc::closed);
    CHECK(channel.pop() == 1);
    channel.stop(Error(Errc::failed, "the disk is full"));
    CHECK(channel.pop().error().detail() == "the disk is full");
    CHECK(channel.push(3).error() == Errc::failed);
  });
}

TEST_CASE("everybody who waits is told when it is closed or stopped, and when patience ends") {
  everywhere([](Runtime& runtime) {
    Channel<int> full(runtime, {.capacity = 0});
    Channel<int> empty(runtime, {.capacity = 1});
    Scope scope(runtime, {.on_error = OnError::keep_going});
    std::stop_source source;
    auto sends = scope.spawn([&] { return full.push(1); });
    auto takes = scope.spawn([&] { return empty.pop(); });
    auto stops = scope.spawn([&] { return empty.pop({.stop = source.get_token()}); });
    auto tires = scope.spawn([&] { return empty.pop({.deadline = runtime.now() + 1ms}); });
    CHECK(tires.get().error() == Errc::timed_out);
    source.request_stop();
    CHECK(stops.get().error() == Errc::cancelled);
    full.stop();
    CHECK(sends.get().error() == Errc::cancelled);
    empty.close();
    CHECK(takes.get().error() == Errc::closed);
    CHECK(full.size() == 0);
    (void)scope.wait();
  });
}

TEST_CASE("units wait without a thread, in their turn, and a cancelled one takes nothing") {
  everywhere([](Runtime& runtime) {
    Channel<int> channel(runtime, {.capacity = 0});
    Scope scope(runtime, {.on_error = OnError::keep_going});
    std::vector<Unit<int>> receivers;
    for (int i = 0; i < 100; ++i) receivers.push_back(channel.receive(scope));
    receivers[1].cancel();
    for (int i = 0; i < 99; ++i) REQUIRE(channel.push(i).has_value());
    CHECK(receivers[0].get() == 0);
    CHECK(receivers[1].get().error() == Errc::cancelled);
    CHECK(receivers[99].get() == 98);
    Unit<void> gone = channel.send(scope, 7);
    Unit<void> stays = channel.send(scope, 8);
    gone.cancel();
    CHECK(channel.pop() == 8);
    CHECK(stays.get().has_value());
    Unit<int> last = channel.receive(scope);
    channel.close();
    CHECK(last.get().error() == Errc::closed);
  });
}

TEST_CASE("units that wait at a channel end with it, and cancelled ones do not pile up") {
  everywhere([](Runtime& runtime) {
    Scope scope(runtime, {.on_error = OnError::keep_going});
    std::shared_ptr<int> held = std::make_shared<int>(7);
    Unit<void> sends;
    Unit<int> receives;
    {
      Channel<std::shared_ptr<int>> full(runtime, {.capacity = 0});
      Channel<int> empty(runtime, {.capacity = 0});
      for (int i = 0; i < 1000; ++i) full.send(scope, held).cancel();
      CHECK(held.use_count() < 100);
      sends = full.send(scope, held);
      receives = empty.receive(scope);
      for (int i = 0; i < 1000; ++i) empty.receive(scope).cancel();
    }
    CHECK(sends.get().error() == Errc::closed);
    CHECK(receives.get().error() == Errc::closed);
    CHECK(held.use_count() == 1);
    (void)scope.wait();
  });
}

TEST_CASE("many values at once, in order, whatever the room") {
  everywhere([](Runtime& runtime) {
    for (size_t capacity : {size_t{0}, size_t{3}, size_t{64}}) {
      Channel<int> channel(runtime, {.capacity = capacity});
      Scope scope(runtime);
      scope.spawn([&] {
        std::vector<int> values(100);
        for (int i = 0; i < 100; ++i) values[static_cast<size_t>(i)] = i;
        CHECK(channel.push_many(values) == 100);
        channel.close();
      });
      int next = 0;
      while (auto values = channel.pop_many(32)) {
        CHECK(values->size() >= 1);
        CHECK(values->size() <= 32);
        for (int value : *values) CHECK(value == next++);
      }
      CHECK(next == 100);
    }
  });
}

TEST_CASE("who does not wait is never told that there is nothing while somebody waits to send") {
  Runtime runtime({.workers = 2});
  for (size_t capacity : {size_t{0}, size_t{1}, size_t{2}}) {
    CAPTURE(capacity);
    Channel<int> channel(runtime, {.capacity = capacity});
    Scope scope(runtime);
    constexpr int each = 2000;
    for (int i = 0; i < 2 * each; ++i) channel.send(scope, i);
    auto take = [&] {
      int last = -1, missed = 0, disorder = 0;
      for (int i = 0; i < each; ++i) {
        Result<std::optional<int>> value = channel.try_pop();
        if (!value || !*value) {
          ++missed;
          continue;
        }
        disorder += **value > last ? 0 : 1;
        last = **value;
      }
      CHECK(missed == 0);
      CHECK(disorder == 0);
    };
    std::jthread other(take);
    take();
    other.join();
    CHECK_FALSE(channel.try_pop()->has_value());
  }
}

TEST_CASE("closed while others push and pop without waiting: what was taken in is given out") {
  Runtime runtime({.workers = 1});
  for (int round = 0; round < 200; ++round) {
    Channel<int> channel(runtime, {.capacity = 4});
    std::atomic<int> pushed = 0, popped = 0;
    std::jthread pushes([&] {
      for (;;) {
        Result<void> done = channel.try_push(1);
        if (done)
          ++pushed;
        else if (done.error() == Errc::closed)
          return;
      }
    });
    std::jthread pops([&] {
      for (;;) {
        Result<std::optional<int>> value = channel.try_pop();
        if (!value) return;
        if (*value) ++popped;
      }
    });
    while (popped < 10 + round % 7) std::this_thread::yield();
    channel.close();
    pushes.join();
    pops.join();
    REQUIRE(pushed == popped);
  }
}

TEST_CASE("waiting where no thread is left is named") {
  Runtime runtime({.workers = 1, .blocking_max = 0});
  Channel<int> channel(runtime, {.capacity = 1});
  Scope scope(runtime);
  auto waits = scope.spawn([&] { return channel.pop(); });
  CHECK(waits.get().error() == Errc::deadlock);
  (void)scope.wait();
  // And so it is where a simulation sees that nobody will ever come.
  Sim sim(1);
  Runtime simulated(sim);
  Channel<int> alone(simulated, {.capacity = 0});
  CHECK(alone.push(1).error() == Errc::deadlock);
}

TEST_CASE("of one thread, it does what a plain queue with a limit would do") {
  in_simulation([](Runtime& runtime) {
    static uint64_t seed = 0;
    tram::base::Random random(++seed);
    size_t capacity = random.below(5);
    Channel<uint64_t> channel(runtime, {.capacity = capacity});
    std::deque<uint64_t> model;
    bool closed = false;
    for (uint64_t i = 0; i < 500; ++i) {
      if (random.below(200) == 0) {
        channel.close();
        closed = true;
      }
      if (random.below(2) == 0) {
        Result<void> pushed = channel.try_push(uint64_t{i});
        CHECK(pushed.has_value() == (!closed && model.size() < capacity));
        if (pushed) model.push_back(i);
        if (closed) CHECK(pushed.error() == Errc::closed);
      } else {
        auto popped = channel.try_pop();
        if (!model.empty()) {
          REQUIRE(popped.has_value());
          CHECK(**popped == model.front());
          model.pop_front();
        } else {
          CHECK(popped.has_value() == !closed);
        }
      }
      CHECK(channel.size() == model.size());
    }
  });
}

namespace {

// A channel as one would write it without threads: who waits is a number in a queue.
struct PlainChannel {
  struct Waits {
    size_t unit;
    uint64_t value;
  };
  size_t capacity = 0;
  std::deque<uint64_t> holds;
  std::deque<Waits> senders;
  std::deque<size_t> receivers;
  std::vector<std::string> fates;  // Of each unit: "" while it waits, "sent", a number, an error.
  std::string ended;

  void settle() {
    for (bool again = true; std::exchange(again, false);) {
      while (holds.size() < capacity && !senders.empty()) take_sender();
      if (receivers.empty()) return;
      if (holds.empty() && !senders.empty()) take_sender();
      if (holds.empty()) return;
      fates[receivers.front()] = std::to_string(holds.front());
      receivers.pop_front();
      holds.pop_front();
      again = true;
    }
  }
  void take_sender() {
    holds.push_back(senders.front().value);
    fates[senders.front().unit] = "sent";
    senders.pop_front();
  }
  void end(const std::string& why) {
    ended = why;
    for (Waits& waits : senders) fates[waits.unit] = why;
    for (size_t unit : receivers) fates[unit] = why;
    senders.clear();
    receivers.clear();
  }
  void leave(size_t unit) {
    if (!fates[unit].empty()) return;
    fates[unit] = "cancelled";
    std::erase_if(senders, [&](Waits& waits) { return waits.unit == unit; });
    std::erase(receivers, unit);
  }
};

}  // namespace

TEST_CASE("with units that wait, come and go, it does what a plain queue of them would do") {
  in_simulation(
      [](Runtime& runtime) {
        static uint64_t seed = 0;
        tram::base::Random random(++seed);
        CAPTURE(seed);
        PlainChannel model;
        model.capacity = random.below(4);
        Channel<uint64_t> channel(runtime, {.capacity = model.capacity});
        Scope scope(runtime, {.on_error = OnError::keep_going});
        std::vector<Unit<void>> sends;
        std::vector<Unit<uint64_t>> receives;
        std::vector<std::pair<bool, size_t>> units;  // Whether it receives, and its place there.
        for (uint64_t i = 0; i < 300; ++i) {
          uint64_t what = random.below(100);
          if (what < 35) {
            units.emplace_back(false, sends.size());
            sends.push_back(channel.send(scope, i));
            model.fates.push_back(model.ended);
            if (model.ended.empty()) model.senders.push_back({units.size() - 1, i});
          } else if (what < 70) {
            units.emplace_back(true, receives.size());
            receives.push_back(channel.receive(scope));
            // Closed, it still gives what it holds.
            model.fates.push_back(model.holds.empty() ? model.ended : "");
            if (model.fates.back().empty()) model.receivers.push_back(units.size() - 1);
          } else if (what < 78) {
            bool taken = channel.try_push(i).has_value();
            CHECK(taken == (model.ended.empty() &&
                            (model.holds.size() < model.capacity || !model.receivers.empty())));
            if (taken) model.holds.push_back(i);
          } else if (what < 86) {
            auto popped = channel.try_pop();
            if (model.holds.empty() && !model.senders.empty()) model.take_sender();
            CHECK((popped.has_value() && popped->has_value()) == !model.holds.empty());
            if (!model.holds.empty()) {
              CHECK(**popped == model.holds.front());
              model.holds.pop_front();
            }
          } else if (what < 98 && !units.empty()) {
            size_t unit = random.below(units.size());
            auto [receiver, place] = units[unit];
            receiver ? receives[place].cancel() : sends[place].cancel();
            model.leave(unit);
          } else if (i > 200 && what == 98 && model.ended.empty()) {
            channel.close();
            model.end("closed");
          } else if (i > 200 && what == 99 && model.ended != "overloaded") {
            channel.stop(Errc::overloaded);
            model.end("overloaded");
            model.holds.clear();
          }
          model.settle();
          CHECK(channel.size() == model.holds.size());
        }
        channel.stop(Errc::overloaded);
        model.end(model.ended == "overloaded" ? model.ended : "overloaded");
        for (size_t unit = 0; unit < units.size(); ++unit) {
          auto [receiver, place] = units[unit];
          std::string fate;
          if (receiver) {
            auto result = receives[place].get();
            fate = result ? std::to_string(*result) : std::string(name_of(result.error().code()));
          } else {
            auto result = sends[place].get();
            fate = result ? "sent" : std::string(name_of(result.error().code()));
          }
          CHECK(fate == model.fates[unit]);
        }
        (void)scope.wait();
      },
      200);
}

TEST_CASE("many producers and consumers: nothing lost, nothing twice, each producer's in order") {
  everywhere([](Runtime& runtime) {
    constexpr int producers = 4;
    constexpr int each = 200;
    Channel<std::pair<int, int>> channel(runtime, {.capacity = 3});
    Scope scope(runtime);
    std::vector<Unit<void>> done;
    for (int p = 0; p < producers; ++p)
      done.push_back(scope.spawn([&channel, p] {
        for (int i = 0; i < each; ++i) (void)channel.push(std::pair(p, i));
      }));
    scope.spawn_after([&] { channel.close(); }, all(done));
    std::vector<Unit<std::vector<std::pair<int, int>>>> consumers;
    for (int c = 0; c < 3; ++c)
      consumers.push_back(scope.spawn([&channel] {
        std::vector<std::pair<int, int>> got;
        while (auto value = channel.pop()) got.push_back(*value);
        return got;
      }));
    std::vector<int> count(producers * each);
    for (auto& consumer : consumers) {
      std::vector<int> last(producers, -1);
      auto got = consumer.get();
      for (auto [p, i] : *got) {
        CHECK(i > last[static_cast<size_t>(p)]);
        last[static_cast<size_t>(p)] = i;
        ++count[static_cast<size_t>(p) * each + static_cast<size_t>(i)];
      }
    }
    for (int n : count) CHECK(n == 1);
  });
}
