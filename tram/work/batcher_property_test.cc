// Items that fail, callers that leave and calls that throw, held against a model that is a table:
// what each call was asked, in what order, and what it answered to each key. Every caller has
// exactly what its own item in its own call was given, or left; nobody is forgotten, and nobody
// hears of another's fate.
#include <doctest/doctest.h>
#include <map>
#include <mutex>
#include <set>

#include "tram/base/random.h"
#include "tram/work/batcher.h"
#include "tram/work/sim.h"
#include "tram/work/testing/test_seeds.h"

using namespace tram::work;
using namespace std::chrono_literals;
using tram::base::Duration;
using tram::base::Random;

namespace {

struct Wish {
  int caller;
  int key;
  friend bool operator==(const Wish& a, const Wish& b) { return a.key == b.key; }
};
struct Answer {
  int caller;  // Whose wish was in the call.
  int key;
  size_t call;
  friend bool operator==(const Answer&, const Answer&) = default;
};

}  // namespace

template <>
struct std::hash<Wish> {
  size_t operator()(const Wish& wish) const { return std::hash<int>()(wish.key); }
};

namespace {

// What is random about one item is drawn from its key, so that the model can draw it again.
bool one_in(int count, uint64_t what) {
  return Random(what).below(static_cast<uint64_t>(count)) == 0;
}

enum class Manner { values, throws };

struct Model {
  struct Call {
    std::vector<Wish> wishes;
    Manner manner;
  };
  std::mutex mutex;
  std::vector<Call> calls;
  uint64_t seed = 0;

  // The batch function, and what is to be remembered of it.
  std::vector<Result<Answer>> answer(std::span<const Wish> wishes) {
    size_t number = 0;
    Manner manner{};
    {
      std::lock_guard lock(mutex);
      number = calls.size();
      manner = one_in(100, seed ^ number << 20) ? Manner::throws : Manner::values;
      calls.push_back({{wishes.begin(), wishes.end()}, manner});
    }
    if (manner == Manner::throws) throw std::runtime_error("call " + std::to_string(number));
    std::vector<Result<Answer>> answers;
    for (const Wish& wish : wishes) answers.push_back(for_one(wish, number));
    return answers;
  }
  Result<Answer> for_one(const Wish& wish, size_t number) const {
    if (one_in(10, seed ^ static_cast<uint64_t>(wish.key) * 77))
      return failure(Errc::failed,
                     "key " + std::to_string(wish.key) + " in " + std::to_string(number));
    return Answer{wish.caller, wish.key, number};
  }
};

struct Plan {
  int callers;
  int keys;
  bool dedup;
  bool asynchronous;
  bool partitioned;
  uint64_t max_items;
  std::unique_ptr<Gcra> limit;
  BatchOptions<Wish> options;
};

Plan plan_for(Random& random, int callers) {
  Plan plan;
  plan.callers = callers;
  plan.keys = random.below(2) == 0 ? callers : callers / 3 + 1;
  plan.dedup = random.below(2) == 0;
  plan.asynchronous = random.below(2) == 0;
  plan.partitioned = random.below(3) == 0;
  constexpr std::array flushes = {Flush::when_idle, Flush::only_idle, Flush::timed, Flush::by_size,
                                  Flush::manual};
  plan.options.flush = flushes[random.below(flushes.size())];
  plan.max_items = 1 + random.below(random.below(2) == 0 ? 5 : 100);
  if (random.below(4) == 0) {
    // One that moves all the time.
    auto most = static_cast<uint32_t>(plan.max_items);
    plan.options.max_items = BatchSizeClimb::Options{
        .max = most, .initial = (most + 1) / 2, .calls_min = 1, .rest_calls = 1};
  } else {
    plan.options.max_items = plan.max_items;
  }
  plan.options.inflight = 1 + random.below(4);
  if (random.below(4) == 0) {
    plan.limit = std::make_unique<Gcra>(
        *Gcra::make({.rate = 50'000 + random.below(1'000'000), .burst = 1 + random.below(10)}));
    plan.options.limit = plan.limit.get();
    if (random.below(2) == 0) {
      plan.options.limit_counts = LimitCounts::items;
      plan.max_items = std::min(plan.max_items, plan.limit->burst());
    }
  }
  plan.options.dedup = plan.dedup;
  plan.options.name = "model";
  if (random.below(3) == 0) {
    plan.options.weight = [](const Wish& wish) { return static_cast<uint64_t>(wish.key % 7); };
    plan.options.max_weight = 1 + random.below(60);
  }
  if (plan.partitioned)
    plan.options.partition = [](const Wish& wish, const Spawner&) {
      return Partition(wish.key % 3);
    };
  return plan;
}

void run(Runtime& runtime, uint64_t seed, int callers) {
  Random random(seed);
  Plan plan = plan_for(random, callers);
  Model model;
  model.seed = seed;
  std::vector<Unit<Answer>> units(static_cast<size_t>(plan.callers));
  std::vector<int> keys;
  for (int i = 0; i < plan.callers; ++i)
    keys.push_back(static_cast<int>(random.below(static_cast<uint64_t>(plan.keys))));
  uint64_t leave_seed = random.next();
  auto leaves = [&](int caller) { return one_in(10, leave_seed + static_cast<uint64_t>(caller)); };
  BatchStats stats;
  {
    // By hand and by size, somebody has to send the rest; so the batcher ends before the scope.
    Scope scope(runtime, {.on_error = OnError::keep_going});
    auto function = [&](std::span<const Wish> wishes,
                        Context c) -> Unit<std::vector<Result<Answer>>> {
      auto answers = model.answer(wishes);
      auto give = [moved = std::move(answers)]() mutable {
        // In a vector of results nothing is taken for this unit's own failure.
        return std::move(moved);
      };
      if (plan.asynchronous) return c.spawn_after(std::move(give), c.sleep(100us));
      return c.spawn(std::move(give));
    };
    Batcher<Wish, Answer> batcher(runtime, plan.options, function);
    std::vector<Unit<void>> started;
    for (int caller = 0; caller < plan.callers; ++caller)
      started.push_back(scope.spawn([&, caller](Context c) {
        auto& mine = units[static_cast<size_t>(caller)];
        mine = batcher(Wish{caller, keys[static_cast<size_t>(caller)]}, c);
        // Some leave at once, some a little later, perhaps too late.
        if (leaves(caller)) c.spawn([unit = mine]() mutable { unit.cancel(); });
        if (caller % 50 == 49 && plan.options.flush == Flush::manual) batcher.flush();
      }));
    for (auto& unit : started) CHECK(unit.get().has_value());
    batcher.close();
    for (auto& unit : units) (void)unit.get();
    stats = batcher.stats();
    (void)scope.wait();
  }

  // The table: in which calls a key was, and for whom.
  std::vector<std::set<size_t>> calls_of_key(static_cast<size_t>(plan.keys));
  std::map<int, int> times_asked;
  uint64_t throws = 0;
  for (size_t number = 0; number < model.calls.size(); ++number) {
    const Model::Call& call = model.calls[number];
    if (call.manner == Manner::throws) ++throws;
    CHECK(call.wishes.size() <= plan.max_items);
    std::set<int> distinct;
    uint64_t weight = 0;
    for (const Wish& wish : call.wishes) {
      calls_of_key[static_cast<size_t>(wish.key)].insert(number);
      ++times_asked[wish.caller];
      distinct.insert(wish.key);
      weight += static_cast<uint64_t>(wish.key % 7);
      if (plan.partitioned) CHECK(wish.key % 3 == call.wishes[0].key % 3);
    }
    if (plan.dedup) CHECK(distinct.size() == call.wishes.size());
    if (plan.options.max_weight != 0 && call.wishes.size() > 1)
      CHECK(weight <= plan.options.max_weight);
  }
  for (const auto& [caller, times] : times_asked) CHECK(times == 1);

  uint64_t left = 0;
  for (int caller = 0; caller < plan.callers; ++caller) {
    CAPTURE(caller);
    const Result<Answer>& result = units[static_cast<size_t>(caller)].result();
    const int key = keys[static_cast<size_t>(caller)];
    if (!result && result.error() == Errc::cancelled) {
      REQUIRE(leaves(caller));
      ++left;
      continue;
    }
    if (result) {
      CHECK(result->key == key);
      if (!plan.dedup) CHECK(result->caller == caller);
      const Model::Call& call = model.calls.at(result->call);
      CHECK(call.manner == Manner::values);
      CHECK(model.for_one(Wish{result->caller, key}, result->call) == *result);
      CHECK(calls_of_key[static_cast<size_t>(key)].contains(result->call));
      continue;
    }
    REQUIRE(result.error() == Errc::failed);
    std::string detail(result.error().detail());
    bool explained = false;
    for (size_t number : calls_of_key[static_cast<size_t>(key)]) {
      if (model.calls[number].manner == Manner::throws)
        explained = explained || detail == "call " + std::to_string(number);
      else if (auto given = model.for_one(Wish{caller, key}, number); !given)
        explained = explained || detail == given.error().detail();
    }
    CHECK(explained);
  }
  CHECK(stats.items == static_cast<uint64_t>(plan.callers));
  CHECK(stats.left == left);
  CHECK(stats.calls == model.calls.size());
  CHECK(stats.waiting == 0);
  uint64_t by_reason = 0;
  for (uint64_t each : stats.reasons) by_reason += each;
  CHECK(by_reason == stats.calls);
  if (!plan.dedup) {
    // Who did not leave was asked for.
    for (int caller = 0; caller < plan.callers; ++caller)
      if (units[static_cast<size_t>(caller)].result().has_value()) CHECK(times_asked[caller] == 1);
  }
}

}  // namespace

TEST_CASE(
    "item errors, callers that leave, calls that throw: none lost, none mixed up (simulated)") {
  for (uint64_t seed : test::seeds_from_environment(300)) {
    CAPTURE(seed);
    Sim sim(seed);
    Runtime runtime(sim);
    run(runtime, seed, 200);
  }
}

TEST_CASE("item errors, callers that leave, calls that throw: none lost, none mixed up (threads)") {
  for (unsigned workers : {1U, 2U, 3U, 8U}) {
    CAPTURE(workers);
    Runtime runtime({.workers = workers});
    for (uint64_t seed : test::seeds_from_environment(15)) {
      CAPTURE(seed);
      run(runtime, seed, 1000);
    }
  }
}
