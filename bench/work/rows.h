// What each row asks of a library, for all programs: constants, bodies, and the checks of answers.
// A row's function in a rival's file uses these, so that nobody's row does less than another's.
// Rows that run a graph are in graphs.h; sizes are in rows.def; bench/work/README.md tells them
// all.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "graphs.h"
#include "measure.h"
#include "stages.h"

namespace bench {

// Counts from many threads without their meeting: bodies of nanoseconds must not share a line.
class Tally {
 public:
  void add(uint64_t count = 1) {
    auto& slot = slots_[mine()].count;
    slot.store(slot.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  uint64_t sum() const {
    uint64_t sum = 0;
    for (const Slot& slot : slots_) sum += slot.count.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr size_t threads_max = 256;
  struct alignas(128) Slot {
    std::atomic<uint64_t> count = 0;
  };
  static size_t mine() {
    static std::atomic<size_t> threads = 0;
    thread_local const size_t number = threads++;
    if (number >= threads_max) std::abort();  // Two threads in one slot would lose counts.
    return number;
  }
  std::array<Slot, threads_max> slots_;
};

// Row 6, skynet: a unit spawns ten, down to `size` leaves (a power of ten); leaf i says i, and each
// unit says the sum of its ten.
struct Skynet {
  static constexpr uint64_t fan = 10;
  static uint64_t units(uint64_t leaves) { return leaves * fan / (fan - 1); }
  static void verify(Row& row, uint64_t sum) {
    row.units(units(row.size()));
    row.check_equal(sum, row.size() * (row.size() - 1) / 2, "the sum of the leaves");
  }
};

// Row 14. Tokens go through stages that are serial and in order, at most `lines` at once.
// linear: four stages that only look whether each token is the next one.
struct LinearPipeline {
  static constexpr size_t lines = 8;
  static constexpr size_t stages = 4;
  struct alignas(128) Stage {
    uint64_t next = 0;
    void operator()(uint64_t token) { next += next == token; }
  };
  std::array<Stage, stages> stage;
  void verify(Row& row) const {
    for (const Stage& one : stage) row.check_equal(one.next, row.size(), "tokens in order");
  }
};

// data: int, to string, to int, to float, and their sum: five stages with values of types between.
struct DataPipeline {
  static constexpr size_t lines = 8;
  static int first(uint64_t token) { return static_cast<int>(token % 100'000); }
  static std::string to_string(int value) { return std::to_string(value); }
  static int to_int(const std::string& value) { return std::stoi(value); }
  static float to_float(int value) { return static_cast<float>(value); }
  void last(float value) { sum += static_cast<uint64_t>(value); }
  uint64_t sum = 0;
  void verify(Row& row) const {
    uint64_t want = 0;
    for (uint64_t token = 0; token < row.size(); ++token) want += token % 100'000;
    row.check_equal(sum, want, "the sum of what went in");
  }
};

// graph: tokens are the nodes of row 10's graph, level by level; the first two stages compute a
// value of the node alone, the third adds the values of the nodes it waits for.
struct GraphPipeline {
  static constexpr size_t lines = 8;
  explicit GraphPipeline(uint64_t side) : graph(side), value(graph.nodes()) {}
  static uint64_t first(uint64_t token) { return token * 31 + 7; }
  static uint64_t second(uint64_t value) { return value ^ (value << 9); }
  void third(uint32_t token, uint64_t mixed) {
    value[token] = mixed;
    graph.each_predecessor(token, [&](uint32_t m) { value[token] += value[m]; });
  }
  void verify(Row& row) const {
    GraphPipeline alone(row.size());
    for (uint32_t n = 0; n < graph.nodes(); ++n) alone.third(n, second(first(n)));
    row.check(value == alone.value, "values are those that a loop computes");
    row.check_equal(value.back(), alone.value.back(), "the last value");
    row.units(graph.nodes());
  }
  Traversal graph;
  std::vector<uint64_t> value;
};

// Row 15, tokio's own four, `size` times over. A library of callbacks does in them what it has:
// a yield is a task that submits itself again, a ping is a task that submits its pong.
struct Tokio {
  static constexpr uint64_t chained = 1000;      // Each task spawns the next.
  static constexpr uint64_t pings = 1000;        // Pairs that exchange a ping and a pong.
  static constexpr uint64_t spawned = 10'000;    // Empty tasks from one that is no worker.
  static constexpr uint64_t yielders = 200;      // Tasks, each of which
  static constexpr uint64_t yields_each = 1000;  // gives way this often.
  static void verify(Row& row, uint64_t count) {
    const std::string& name = row.name();
    const uint64_t each = name == "tokio-chained"      ? chained
                          : name == "tokio-ping-pong"  ? pings
                          : name == "tokio-spawn-many" ? spawned
                                                       : yielders * yields_each;
    row.units(row.size() * each);
    row.check_equal(count, row.size() * each, "tasks that ran");
  }
};

// Row 16, handoff-three: a producer, a middle and an end, one thread each; messages every
// microsecond by the clock, which are late when the producer is (no coordinated omission).
class Latencies {
 public:
  static constexpr int64_t spacing_ns = 1000;
  explicit Latencies(uint64_t messages) : start_(Clock::now()) { ns_.reserve(messages); }
  int64_t now_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count();
  }
  // Spins until message `number` is due, and returns that moment: it is what to send.
  int64_t wait_until_due(uint64_t number) const {
    const int64_t due = static_cast<int64_t>(number) * spacing_ns;
    while (now_ns() < due) {
    }
    return due;
  }
  void arrived(int64_t due) {
    in_order_ = in_order_ && due > last_;
    last_ = due;
    ns_.push_back(now_ns() - due);
  }
  void verify(Row& row) {
    row.check(in_order_, "messages in order");
    row.check_equal(ns_.size(), row.size(), "messages that arrived");
    std::sort(ns_.begin(), ns_.end());
    auto at = [&](double q) {
      return static_cast<double>(ns_[static_cast<size_t>(q * static_cast<double>(ns_.size() - 1))]);
    };
    row.note("p50_us", at(.5) / 1000);
    row.note("p99_us", at(.99) / 1000);
    row.note("p999_us", at(.999) / 1000);
    row.note("max_us", at(1) / 1000);
  }

 private:
  Clock::time_point start_;
  int64_t last_ = -1;
  bool in_order_ = true;
  std::vector<int64_t> ns_;
};

// Row 17: queue-<producers>x<consumers>-<bulk>. Values 0 to size-1 go in, divided among producers
// in consecutive parts; each comes out once, and those of one producer in order for each consumer.
struct QueueRow {
  static constexpr size_t capacity = 1024;
  explicit QueueRow(const Row& row)
      : size(row.size()),
        producers(row.name()[6] - '0'),
        consumers(row.name()[8] - '0'),
        bulk(std::stoul(std::string(row.last_word()))) {}
  uint64_t size;
  uint64_t producers, consumers;
  size_t bulk;

  uint64_t first_of(uint64_t producer) const { return size * producer / producers; }

  // In threads of their own: `produce(from, to)` puts these values in; `consume(seen, all_sent)`
  // calls seen(value) for each that it gets. `all_sent` turns true when all are in, and then
  // `finish` is called, which may put something in that ends blocked consumers.
  template <typename Produce, typename Consume, typename Finish>
  void run(Row& row, Produce&& produce, Consume&& consume, Finish&& finish) {
    struct alignas(128) Consumer {
      uint64_t sum = 0;
      std::array<int64_t, 2> last = {-1, -1};
      bool in_order = true;
    };
    std::array<Consumer, 2> consumer;
    std::atomic<bool> all_sent = false;
    row.timed([&] {
      std::vector<std::jthread> consuming;
      for (uint64_t c = 0; c < consumers; ++c) {
        consuming.emplace_back([&, c] {
          Consumer& me = consumer[c];
          consume(
              [&](uint64_t value) {
                const size_t from = producers == 2 && value >= first_of(1);
                me.in_order = me.in_order && static_cast<int64_t>(value) > me.last[from];
                me.last[from] = static_cast<int64_t>(value);
                me.sum += value;
              },
              all_sent);
        });
      }
      {
        std::vector<std::jthread> producing;
        for (uint64_t p = 0; p < producers; ++p) {
          producing.emplace_back([&, p] { produce(first_of(p), first_of(p + 1)); });
        }
      }
      all_sent = true;
      finish();
    });
    row.check(consumer[0].in_order && consumer[1].in_order, "in order for each producer");
    row.check_equal(consumer[0].sum + consumer[1].sum, size * (size - 1) / 2, "the sum");
  }
};

// Row 18. Units wait for something that is not ready; then it is (fire), or they are cancelled.
// Calls `spawn`, which makes all wait, and `finish`, which returns when all are over.
template <typename Spawn, typename Finish>
void million_waiting(Row& row, Spawn&& spawn, Finish&& finish) {
  const double before = resident_bytes();
  double spawned = 0;
  row.timed([&] {
    const auto start = Clock::now();
    spawn();
    spawned = seconds_since(start);
  });
  const double size = static_cast<double>(row.size());
  row.note("bytes_each", (resident_bytes() - before) / size);
  row.note("spawn_ns_each", spawned * 1e9 / size);
  const auto start = Clock::now();
  row.timed([&] { finish(); });
  row.note("finish_seconds", seconds_since(start));
}

// Row 19: loads that are found by loading. Key k leads to ten more, 10k+1 to 10k+10, as long as
// they are below `size`; all go through one batcher, whose function takes a round trip. What counts
// is the number of calls: a library that knows when nobody can add any more needs one for each
// level, or as many as its cap (loads-100) forces it to.
class Loads {
 public:
  static constexpr uint64_t fan = 10;
  static constexpr std::chrono::milliseconds round_trip{1};
  explicit Loads(const Row& row)
      : size_(row.size()), loaded_(row.size()), cap_(row.name() == "loads-100" ? 100 : 0) {}

  uint64_t cap() const { return cap_; }  // Of a batch; 0: none.
  // Called by the batch function, by many threads; waits for the round trip.
  void call(std::span<const uint64_t> keys) {
    ++calls_;
    too_large_ = too_large_ || (cap_ > 0 && keys.size() > cap_);
    std::this_thread::sleep_for(round_trip);
    for (uint64_t key : keys) loaded_.mark(key);
  }
  // Called by whoever got the answer for `key`: calls f(k) for each key to load next.
  template <typename F>
  void each_next(uint64_t key, F&& f) {
    early_ = early_ || !loaded_[key];
    for (uint64_t k = key * fan + 1; k <= key * fan + fan && k < size_; ++k) f(k);
  }
  void verify(Row& row) const {
    row.check(!early_, "no answer before its call");
    row.check(!too_large_, "no batch above the cap");
    row.check_equal(loaded_.count(), size_, "keys loaded once");
    row.note("calls", static_cast<double>(calls_));
    row.note("calls_least", static_cast<double>(calls_least()));
  }

 private:
  uint64_t calls_least() const {
    uint64_t calls = 0;
    for (uint64_t level = 1, left = size_; left > 0; level *= fan) {
      const uint64_t keys = std::min(level, left);
      calls += cap_ > 0 ? (keys + cap_ - 1) / cap_ : 1;
      left -= keys;
    }
    return calls;
  }

  uint64_t size_;
  Ran loaded_;
  uint64_t cap_;
  std::atomic<uint64_t> calls_ = 0;
  std::atomic<bool> early_ = false, too_large_ = false;
};

// Row 23: the library is made, does one empty task so that it is awake, and then nothing for `size`
// seconds; the figures are the CPU time and context switches of that.
inline void do_nothing(Row& row) {
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  row.timed([&] { std::this_thread::sleep_for(std::chrono::seconds(row.size())); });
}

}  // namespace bench
