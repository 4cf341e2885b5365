// The parts of the scheduler, each against what it promises.

#include <doctest/doctest.h>
#include <latch>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

#include "tram/base/random.h"
#include "tram/work/scheduler/chunk_store.h"
#include "tram/work/scheduler/live_count.h"
#include "tram/work/scheduler/thread_scheduler.h"
#include "tram/work/scheduler/timers.h"
#include "tram/work/scheduler/unit_memory.h"
#include "tram/work/scheduler/work_deque.h"

using namespace tram::work;
using namespace std::chrono_literals;

namespace {

struct Counted : Runnable {
  explicit Counted(std::atomic<int>& counter) : Runnable(how), runs(counter) {}
  static void run_it(Runnable& task) { ++static_cast<Counted&>(task).runs; }
  static constexpr RunnableOps how{&run_it};
  std::atomic<int>& runs;
};

struct Blocking : Runnable {
  Blocking() : Runnable(how) {}
  static void run_it(Runnable& task) {
    auto& self = static_cast<Blocking&>(task);
    self.begun.count_down();
    self.go.wait();
  }
  static constexpr RunnableOps how{&run_it};
  std::latch begun{1}, go{1};
};

}  // namespace

TEST_CASE("every task of a deque is taken exactly once, by its owner or one of the thieves") {
  std::atomic<int> runs = 0;
  constexpr int tasks = 20'000;
  std::vector<Counted> all(tasks, Counted(runs));
  WorkDeque deque;
  std::atomic<bool> over = false;
  {
    std::vector<std::jthread> thieves;
    for (int i = 0; i < 3; ++i)
      thieves.emplace_back([&] {
        while (!over || !deque.empty())
          if (Runnable* task = deque.steal(); task != nullptr) task->ops->run(*task);
      });
    tram::base::Random random(7);
    for (Counted& task : all) {
      while (!deque.push(task))
        if (Runnable* newest = deque.pop(); newest != nullptr) newest->ops->run(*newest);
      if (random.one_in(3))
        if (Runnable* newest = deque.pop(); newest != nullptr) newest->ops->run(*newest);
    }
    while (Runnable* newest = deque.pop()) newest->ops->run(*newest);
    over = true;
  }
  CHECK(runs == tasks);
}

TEST_CASE(
    "a deque gives its owner the newest and a thief the oldest, and is full at its capacity") {
  std::atomic<int> runs = 0;
  std::vector<Counted> all(WorkDeque::capacity + 1, Counted(runs));
  WorkDeque deque;
  CHECK(deque.pop() == nullptr);
  CHECK(deque.steal() == nullptr);
  for (int64_t i = 0; i < WorkDeque::capacity; ++i) CHECK(deque.push(all[static_cast<size_t>(i)]));
  CHECK_FALSE(deque.push(all.back()));
  CHECK(deque.steal() == &all[0]);
  CHECK(deque.pop() == &all[WorkDeque::capacity - 1]);
}

TEST_CASE("timers fire in the order of their deadlines, equals in the order of their start") {
  static std::vector<int> fired;
  fired.clear();
  struct Numbered : Timer {
    explicit Numbered(int n)
        : Timer([](Timer& t) { fired.push_back(static_cast<Numbered&>(t).number); }), number(n) {}
    int number;
  };
  auto at = [](int ms) { return Time::from_nanoseconds(int64_t{ms} * 1'000'000); };
  Numbered a(1), b(2), c(3), d(4);
  Timers timers;
  timers.start(a, at(20));
  timers.start(b, at(10));
  timers.start(c, at(20));
  timers.start(d, at(5));
  timers.start(d, at(30));  // Moved.
  CHECK(timers.next_deadline() == at(10));
  CHECK(timers.pop_due(at(9)) == nullptr);
  CHECK(timers.stop(b));
  CHECK_FALSE(timers.stop(b));
  while (Timer* due = timers.pop_due(at(30))) due->fire(*due);
  CHECK(fired == std::vector{1, 3, 4});
  CHECK(timers.next_deadline() == Time::never());
}

TEST_CASE("timers fire as in a sorted list, in whatever order they are started and stopped") {
  static std::vector<size_t> fired;
  struct Numbered : Timer {
    Numbered() : Timer([](Timer& t) { fired.push_back(static_cast<Numbered&>(t).number); }) {}
    size_t number = 0;
  };
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    tram::base::Random random(seed);
    fired.clear();
    std::vector<Numbered> all(200);
    for (size_t i = 0; i < all.size(); ++i) all[i].number = i;
    Timers timers;
    // The model: deadline and order of start, of those that run.
    std::set<std::tuple<int64_t, uint64_t, size_t>> model;
    auto stop_in_model = [&](size_t number) {
      return std::erase_if(model, [&](const auto& each) { return std::get<2>(each) == number; }) >
             0;
    };
    std::vector<size_t> expected;
    int64_t now = 0;
    for (uint64_t step = 0; step < 2000; ++step) {
      const size_t number = random.below(all.size());
      if (random.one_in(4)) {
        REQUIRE(timers.stop(all[number]) == stop_in_model(number));
      } else {
        // Some durations are common, some are not.
        constexpr int64_t common[] = {10, 10, 1000, 100, 5};
        int64_t wait = random.one_in(3) ? static_cast<int64_t>(random.below(2000))
                                        : common[random.below(std::size(common))];
        stop_in_model(number);
        model.emplace(now + wait, step, number);
        timers.start(all[number], Time::from_nanoseconds(now + wait));
      }
      now += static_cast<int64_t>(random.below(10));
      while (!model.empty() && std::get<0>(*model.begin()) <= now) {
        expected.push_back(std::get<2>(*model.begin()));
        model.erase(model.begin());
      }
      while (Timer* due = timers.pop_due(Time::from_nanoseconds(now))) due->fire(*due);
      REQUIRE(fired == expected);
      REQUIRE(timers.empty() == model.empty());
      if (!model.empty())
        REQUIRE(timers.next_deadline() == Time::from_nanoseconds(std::get<0>(*model.begin())));
    }
    for (Numbered& each : all) timers.stop(each);
  }
}

TEST_CASE(
    "a count reaches zero exactly when the last piece is over, however threads pass credits") {
  struct Watched final : LiveCount {
    std::atomic<int> zeros = 0;
    void on_zero() override { ++zeros; }
  };
  Watched one, other;
  one.add();
  other.add();
  {
    std::vector<std::jthread> threads;
    for (uint64_t seed = 1; seed <= 3; ++seed)
      threads.emplace_back([&, seed] {
        LiveCount::hold_credits(true);
        tram::base::Random random(seed);
        int mine[2] = {0, 0};
        for (int i = 0; i < 20'000; ++i) {
          size_t which = random.below(2);
          LiveCount& count = which == 0 ? static_cast<LiveCount&>(one) : other;
          if (random.one_in(2)) {
            count.add();
            ++mine[which];
          } else if (mine[which] > 0) {
            count.remove();
            --mine[which];
          }
          if (random.one_in(100)) LiveCount::settle();
        }
        for (; mine[0] > 0; --mine[0]) one.remove();
        for (; mine[1] > 0; --mine[1]) other.remove();
        LiveCount::hold_credits(false);
      });
  }
  CHECK(one.zeros == 0);
  CHECK(other.zeros == 0);
  one.remove();
  other.remove();
  CHECK(one.zeros == 1);
  CHECK(other.zeros == 1);
}

TEST_CASE("blocks of unit memory never overlap, and may be given back by any thread") {
  std::vector<std::pair<unsigned char*, size_t>> blocks;
  tram::base::Random random(3);
  for (int i = 0; i < 5000; ++i) {
    size_t size = 1 + random.below(i % 50 == 0 ? 10'000 : 300);
    auto* block = static_cast<unsigned char*>(UnitMemory::take(size));
    REQUIRE(reinterpret_cast<uintptr_t>(block) % alignof(std::max_align_t) == 0);
    std::fill_n(block, size, static_cast<unsigned char>(i));
    blocks.emplace_back(block, size);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    auto [block, size] = blocks[i];
    REQUIRE(block[0] == static_cast<unsigned char>(i));
    REQUIRE(block[size - 1] == static_cast<unsigned char>(i));
  }
  std::jthread other([&] {
    for (size_t i = 0; i < blocks.size(); i += 2)
      UnitMemory::give_back(blocks[i].first, blocks[i].second);
  });
  other.join();
  for (size_t i = 1; i < blocks.size(); i += 2)
    UnitMemory::give_back(blocks[i].first, blocks[i].second);
  UnitMemory::settle();
}

TEST_CASE("chunks never overlap, and slabs of which nothing is in use are given back but for one") {
  const size_t before = ChunkStore::slabs();
  tram::base::Random random(5);
  std::vector<unsigned char*> chunks;
  auto mark = [](unsigned char* chunk) -> unsigned char& {
    return chunk[ChunkStore::reserved_until];
  };
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 100; ++i) {
      auto* chunk = static_cast<unsigned char*>(ChunkStore::take());
      REQUIRE(reinterpret_cast<uintptr_t>(chunk) % ChunkStore::chunk_size == 0);
      std::fill_n(&mark(chunk), 64, 0);
      chunks.push_back(chunk);
    }
    for (size_t i = 0; i < chunks.size(); ++i) {
      REQUIRE(mark(chunks[i]) == 0);  // Nobody else has it.
      mark(chunks[i]) = 1;
    }
    for (unsigned char* chunk : chunks) mark(chunk) = 0;
    for (int i = 0; i < 90; ++i) {
      std::swap(chunks[random.below(chunks.size())], chunks.back());
      ChunkStore::give_back(chunks.back());
      chunks.pop_back();
    }
  }
  CHECK(ChunkStore::slabs() > before);
  for (unsigned char* chunk : chunks) ChunkStore::give_back(chunk);
  CHECK(ChunkStore::slabs() <= before + 1);
}

TEST_CASE("no wake-up is lost: each task that comes from outside runs, whatever the workers do") {
  for (unsigned workers : {1U, 2U, 8U}) {
    std::atomic<int> runs = 0;
    constexpr int rounds = 2000;
    std::vector<Counted> tasks(rounds, Counted(runs));
    ThreadScheduler scheduler({.workers = workers});
    // One at a time, so that the workers go to sleep again and again.
    for (int i = 0; i < rounds; ++i) {
      scheduler.schedule(tasks[static_cast<size_t>(i)]);
      while (runs.load() <= i) std::this_thread::yield();
    }
    CHECK(runs == rounds);
  }
}

TEST_CASE("what is scheduled is run before the threads end") {
  std::atomic<int> runs = 0;
  std::vector<Counted> tasks(1000, Counted(runs));
  {
    ThreadScheduler scheduler({.workers = 2});
    for (Counted& task : tasks) scheduler.schedule(task);
  }
  CHECK(runs == 1000);
}

TEST_CASE("hooks are asked when nothing is left to run, and not while something runs") {
  struct Hook final : IdleHook {
    Hook() : IdleHook(Rank::flush) {}
    bool on_idle() override {
      asked.raise();
      return false;
    }
    struct Once {
      std::atomic<bool> done = false;
      void raise() { done = true; }
    } asked;
  };
  Blocking blocking;
  ThreadScheduler scheduler({.workers = 2});
  scheduler.schedule(blocking);
  blocking.begun.wait();
  Hook hook;
  scheduler.add(hook);
  scheduler.check_idle();
  CHECK_FALSE(hook.asked.done.load());
  CHECK_FALSE(scheduler.idle());
  blocking.go.count_down();
  while (!hook.asked.done.load()) std::this_thread::yield();
  scheduler.remove(hook);
}
