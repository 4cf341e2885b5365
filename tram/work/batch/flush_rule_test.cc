#include "tram/work/batch/flush_rule.h"

#include <doctest/doctest.h>
#include <vector>

using namespace tram::work;
using namespace std::chrono_literals;
using tram::base::Duration;
using tram::base::Time;

TEST_CASE("a batch goes for the first reason that holds, and otherwise waits") {
  const Time start = Time::from_nanoseconds(1'000'000'000);
  struct Row {
    Flush flush;
    FlushRule::Waiting waiting;
    bool idle;
    Duration waited;
    std::optional<FlushReason> expected;
  };
  using enum FlushReason;
  using W = FlushRule::Waiting;
  const W one{.items = 1, .weight = 1, .first = start};
  const W full{.items = 10, .weight = 10, .first = start};
  const W heavy{.items = 2, .weight = 1000, .first = start};
  const W asked_for{.items = 1, .weight = 1, .first = start, .asked = asked};
  const W at_the_end{.items = 10, .weight = 10, .first = start, .asked = asked, .closed = true};
  const std::vector<Row> rows = {
      {Flush::when_idle, W{}, true, 1h, std::nullopt},
      {Flush::when_idle, one, false, 0s, std::nullopt},
      {Flush::when_idle, one, true, 0s, idle},
      {Flush::when_idle, full, true, 1h, items},
      {Flush::when_idle, heavy, true, 1h, weight},
      {Flush::when_idle, one, false, 2ms, slot},
      {Flush::when_idle, one, false, 1999us, std::nullopt},
      {Flush::when_idle, one, true, 1h, idle},
      {Flush::when_idle, asked_for, true, 0s, asked},
      {Flush::when_idle, at_the_end, true, 0s, closed},
      {Flush::only_idle, full, false, 0s, std::nullopt},
      {Flush::only_idle, full, true, 0s, idle},
      {Flush::only_idle, full, false, 2ms, slot},
      {Flush::only_idle, heavy, false, 0s, std::nullopt},
      {Flush::timed, one, true, 4ms, std::nullopt},
      {Flush::timed, one, true, 5ms, wait},
      {Flush::timed, full, false, 0s, items},
      {Flush::by_size, one, true, 1h, std::nullopt},
      {Flush::by_size, full, true, 1h, items},
      {Flush::by_size, heavy, true, 1h, weight},
      {Flush::by_size, asked_for, false, 0s, asked},
      {Flush::manual, full, true, 1h, std::nullopt},
      {Flush::manual, asked_for, false, 0s, asked},
      {Flush::manual, at_the_end, false, 0s, closed},
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    FlushRule rule{.flush = rows[i].flush, .max_items = 10, .max_weight = 1000, .max_wait = 5ms};
    CHECK(rule.due(rows[i].waiting) ==
          (rows[i].expected && *rows[i].expected <= FlushReason::weight));
    CHECK(rule.reason(rows[i].waiting, rows[i].idle, 2ms, start + rows[i].waited) ==
          rows[i].expected);
  }
}

TEST_CASE("the time until which a batch waits is when a reason begins to hold") {
  const Time start = Time::from_nanoseconds(5);
  const FlushRule::Waiting one{.items = 1, .weight = 1, .first = start};
  struct Row {
    Flush flush;
    std::optional<Duration> slot_wait;
    Duration service;
    Time expected;
  };
  for (const Row& row : std::vector<Row>{
           {Flush::when_idle, {}, Duration(), start + 5ms},  // No call was measured yet.
           {Flush::when_idle, {}, 2ms, start + 2ms},         // As long as a call takes.
           {Flush::when_idle, {}, 1us, start + FlushRule::slot_wait_min},
           {Flush::when_idle, {}, 1s, start + 5ms},
           {Flush::when_idle, Duration(3ms), 1us, start + 3ms},
           {Flush::when_idle, Duration::forever(), 1us, start + 5ms},
           {Flush::timed, {}, 1us, start + 5ms},
           {Flush::by_size, {}, 1us, Time::never()},
           {Flush::manual, {}, 1us, Time::never()},
       }) {
    FlushRule rule{.flush = row.flush, .max_wait = 5ms, .slot_wait = row.slot_wait};
    Time due = one.first + rule.patience(row.service);
    CHECK(due == row.expected);
    if (due == Time::never()) continue;
    CHECK(rule.reason(one, false, row.service, due).has_value());
    CHECK_FALSE(rule.reason(one, false, row.service, Time::from_nanoseconds(due.nanoseconds() - 1))
                    .has_value());
  }
}

TEST_CASE("every reason has a name and a sentence") {
  CHECK(name_of(FlushReason::idle) == "idle");
  for (size_t i = 0; i < flush_reasons; ++i)
    CHECK_FALSE(sentence_of(static_cast<FlushReason>(i)).empty());
}
