// Rows of channels: hand-offs and queues.
#include "parts.h"

#include "tram/work/channel.h"

using namespace tram::work;

namespace bench {

namespace {

using Values = Channel<uint64_t>;

uint64_t pop(Values& values, bool spin) {
  if (!spin) return *values.pop();
  for (;;)
    if (auto value = values.try_pop(); *value) return **value;
}

}  // namespace

void handoff(Row& row) {
  const bool spin = row.name() == "handoff-hot";
  Runtime runtime({.workers = workers});
  Values there(runtime, {.capacity = 1}), back(runtime, {.capacity = 1});
  uint64_t last = 0;
  row.timed([&] {
    std::jthread other([&] {
      for (uint64_t i = 0; i < row.size(); ++i) (void)back.push(pop(there, spin) + 1);
    });
    for (uint64_t i = 0; i < row.size(); ++i) {
      (void)there.push(last);
      last = pop(back, spin);
    }
  });
  row.units(2 * row.size());
  row.check_equal(last, row.size(), "round trips");
}

void handoff_three(Row& row) {
  Runtime runtime({.workers = workers});
  Values first(runtime, {.capacity = QueueRow::capacity});
  Values second(runtime, {.capacity = QueueRow::capacity});
  Latencies latencies(row.size());
  row.timed([&] {
    std::jthread middle([&] {
      while (auto due = first.pop()) (void)second.push(*due);
      second.close();
    });
    std::jthread end([&] {
      while (auto due = second.pop()) latencies.arrived(static_cast<int64_t>(*due));
    });
    for (uint64_t i = 0; i < row.size(); ++i)
      (void)first.push(static_cast<uint64_t>(latencies.wait_until_due(i)));
    first.close();
  });
  latencies.verify(row);
}

void queue(Row& row) {
  QueueRow shape(row);
  Runtime runtime({.workers = workers});
  Values values(runtime, {.capacity = QueueRow::capacity});
  const bool bulk = shape.bulk > 1;
  shape.run(
      row,
      [&](uint64_t from, uint64_t to) {
        std::vector<uint64_t> some;
        for (uint64_t value = from; value < to;) {
          if (!bulk) {
            (void)values.push(value++);
            continue;
          }
          some.clear();
          while (value < to && some.size() < shape.bulk) some.push_back(value++);
          (void)values.push_many(some);
        }
      },
      [&](auto&& seen, const std::atomic<bool>&) {
        if (bulk) {
          while (auto some = values.pop_many(shape.bulk))
            for (uint64_t value : *some) seen(value);
        } else {
          while (auto value = values.pop()) seen(*value);
        }
      },
      [&] { values.close(); });
}

}  // namespace bench
