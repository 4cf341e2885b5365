// oneTBB's rows (Debian's libtbb-dev). It has no timers and no batches, so no storm with sleeping
// units, and bulk transfers only one by one.
#include <deque>
#include <tbb/concurrent_queue.h>
#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "rows.h"

using namespace bench;

namespace {

using Node = tbb::flow::continue_node<tbb::flow::continue_msg>;

// Runs `work` as one of the two workers: the thread that waits works.
template <typename Work>
void with_workers(Work&& work) {
  tbb::global_control limit(tbb::global_control::max_allowed_parallelism, workers);
  tbb::task_arena arena(workers);
  arena.execute(work);
}

void graph(Row& row) {
  with_graph(row, [&](auto& nodes) {
    with_workers([&] {
      std::deque<Node> made;
      tbb::flow::graph flow;
      double run_seconds = 0;
      row.timed([&] {
        for (uint32_t n = 0; n < nodes.nodes(); ++n) {
          made.emplace_back(flow, [&nodes, n](tbb::flow::continue_msg) { nodes.run(n); });
        }
        for (uint32_t n = 0; n < nodes.nodes(); ++n) {
          nodes.each_successor(n, [&](uint32_t m) { tbb::flow::make_edge(made[n], made[m]); });
        }
        const auto start = Clock::now();
        for (uint32_t n = 0; n < nodes.nodes(); ++n) {
          if (nodes.waits_for(n) == 0) made[n].try_put(tbb::flow::continue_msg());
        }
        flow.wait_for_all();
        run_seconds = seconds_since(start);
      });
      row.note("run_seconds", run_seconds);
    });
  });
}

uint64_t skynet_sum(uint64_t first, uint64_t leaves) {
  if (leaves == 1) return first;
  std::array<uint64_t, Skynet::fan> sums;
  const uint64_t each = leaves / Skynet::fan;
  tbb::task_group group;
  for (uint64_t i = 0; i < Skynet::fan; ++i) {
    group.run([&sums, i, first, each] { sums[i] = skynet_sum(first + i * each, each); });
  }
  group.wait();
  uint64_t sum = 0;
  for (uint64_t one : sums) sum += one;
  return sum;
}

void skynet(Row& row) {
  uint64_t sum = 0;
  with_workers([&] { row.timed([&] { sum = skynet_sum(0, row.size()); }); });
  Skynet::verify(row, sum);
}

void async(Row& row) {
  Tally ran;
  with_workers([&] {
    tbb::task_group group;
    row.timed([&] {
      for (uint64_t i = 0; i < row.size(); ++i) group.run([&ran] { ran.add(); });
      group.wait();
    });
  });
  row.check_equal(ran.sum(), row.size(), "tasks that ran");
}

void stages_once(Row& row, Stages& all) {
  const auto parallel = tbb::filter_mode::parallel;
  uint64_t next = 0;
  auto source = [&](tbb::flow_control& control) {
    if (next == all.jobs()) {
      control.stop();
      return Stages::Job{};
    }
    return all.make(next++);
  };
  auto work = [&](Stages::Job job) {
    all.work(job);
    return job;
  };
  with_workers([&] {
    row.timed([&] {
      tbb::parallel_pipeline(
          all.workers_each() * Stages::count,
          tbb::make_filter<void, Stages::Job>(tbb::filter_mode::serial_in_order, source) &
              tbb::make_filter<Stages::Job, Stages::Job>(parallel, work) &
              tbb::make_filter<Stages::Job, Stages::Job>(parallel, work) &
              tbb::make_filter<Stages::Job, Stages::Job>(parallel, work) &
              tbb::make_filter<Stages::Job, void>(tbb::filter_mode::serial_out_of_order,
                                                  [&](Stages::Job job) { all.received(job); }));
    });
  });
}

void stages(Row& row) {
  Stages all(row);
  all.iterate([&] { stages_once(row, all); });
}

// The first filter of a pipeline of tokens 0 to count-1, as `Out first(token)` makes them.
template <typename Out, typename First>
auto tokens(uint64_t& next, uint64_t count, First first) {
  return tbb::make_filter<void, Out>(tbb::filter_mode::serial_in_order,
                                     [&next, count, first](tbb::flow_control& control) {
                                       if (next == count) {
                                         control.stop();
                                         return Out{};
                                       }
                                       return first(next++);
                                     });
}
template <typename In, typename Out, typename F>
auto serial(F f) {
  return tbb::make_filter<In, Out>(tbb::filter_mode::serial_in_order, f);
}

void pipeline_linear(Row& row) {
  LinearPipeline pipeline;
  auto& stage = pipeline.stage;
  auto look = [](auto& one) {
    return [&one](uint64_t token) {
      one(token);
      return token;
    };
  };
  uint64_t next = 0;
  with_workers([&] {
    row.timed([&] {
      tbb::parallel_pipeline(
          LinearPipeline::lines,
          tokens<uint64_t>(next, row.size(), look(stage[0])) &
              serial<uint64_t, uint64_t>(look(stage[1])) &
              serial<uint64_t, uint64_t>(look(stage[2])) &
              serial<uint64_t, void>([&stage](uint64_t token) { stage[3](token); }));
    });
  });
  pipeline.verify(row);
}

void pipeline_data(Row& row) {
  DataPipeline pipeline;
  uint64_t next = 0;
  with_workers([&] {
    row.timed([&] {
      tbb::parallel_pipeline(DataPipeline::lines,
                             tokens<int>(next, row.size(), DataPipeline::first) &
                                 serial<int, std::string>(DataPipeline::to_string) &
                                 serial<std::string, int>(DataPipeline::to_int) &
                                 serial<int, float>(DataPipeline::to_float) &
                                 serial<float, void>([&](float value) { pipeline.last(value); }));
    });
  });
  pipeline.verify(row);
}

void pipeline_graph(Row& row) {
  GraphPipeline pipeline(row.size());
  struct Token {
    uint32_t node = 0;
    uint64_t value = 0;
  };
  uint64_t next = 0;
  with_workers([&] {
    row.timed([&] {
      tbb::parallel_pipeline(
          GraphPipeline::lines,
          tokens<Token>(next, pipeline.graph.nodes(), [](uint64_t token) {
            return Token{static_cast<uint32_t>(token), GraphPipeline::first(token)};
          }) & serial<Token, Token>([](Token token) {
            return Token{token.node, GraphPipeline::second(token.value)};
          }) & serial<Token, void>([&](Token token) { pipeline.third(token.node, token.value); }));
    });
  });
  pipeline.verify(row);
}

struct TokioTasks {
  tbb::task_group group;
  Tally ran;
  void chain(uint64_t left) {
    ran.add();
    if (left > 1) group.run([this, left] { chain(left - 1); });
  }
  void yield(uint64_t left) {
    ran.add();
    if (left > 1) group.run([this, left] { yield(left - 1); });
  }
  void once(const std::string& name) {
    if (name == "tokio-chained") {
      group.run([this] { chain(Tokio::chained); });
    } else if (name == "tokio-ping-pong") {
      for (uint64_t i = 0; i < Tokio::pings; ++i) {
        group.run([this] { group.run([this] { group.run([this] { ran.add(); }); }); });
      }
    } else if (name == "tokio-spawn-many") {
      for (uint64_t i = 0; i < Tokio::spawned; ++i) group.run([this] { ran.add(); });
    } else {
      for (uint64_t i = 0; i < Tokio::yielders; ++i) {
        group.run([this] { yield(Tokio::yields_each); });
      }
    }
    group.wait();
  }
};

void tokio(Row& row) {
  TokioTasks tasks;
  with_workers([&] {
    row.timed([&] {
      for (uint64_t i = 0; i < row.size(); ++i) tasks.once(row.name());
    });
  });
  Tokio::verify(row, tasks.ran.sum());
}

using Queue = tbb::concurrent_bounded_queue<uint64_t>;

void pop(Queue& queue, uint64_t& value, bool spin) {
  if (!spin) return queue.pop(value);
  while (!queue.try_pop(value)) {
  }
}

void handoff(Row& row) {
  const bool spin = row.name() == "handoff-hot";
  Queue there, back;
  uint64_t last = 0;
  row.timed([&] {
    std::jthread other([&] {
      for (uint64_t i = 0, value = 0; i < row.size(); ++i) {
        pop(there, value, spin);
        back.push(value + 1);
      }
    });
    for (uint64_t i = 0; i < row.size(); ++i) {
      there.push(last);
      pop(back, last, spin);
    }
  });
  row.units(2 * row.size());
  row.check_equal(last, row.size(), "round trips");
}

void handoff_three(Row& row) {
  Queue first, second;
  first.set_capacity(QueueRow::capacity);
  second.set_capacity(QueueRow::capacity);
  Latencies latencies(row.size());
  row.timed([&] {
    std::jthread middle([&] {
      for (uint64_t i = 0, due = 0; i < row.size(); ++i) {
        first.pop(due);
        second.push(due);
      }
    });
    std::jthread end([&] {
      for (uint64_t i = 0, due = 0; i < row.size(); ++i) {
        second.pop(due);
        latencies.arrived(static_cast<int64_t>(due));
      }
    });
    for (uint64_t i = 0; i < row.size(); ++i) {
      first.push(static_cast<uint64_t>(latencies.wait_until_due(i)));
    }
  });
  latencies.verify(row);
}

void queue(Row& row) {
  QueueRow shape(row);
  Queue values;
  values.set_capacity(QueueRow::capacity);
  const uint64_t end = row.size();
  shape.run(
      row,
      [&](uint64_t from, uint64_t to) {
        for (uint64_t value = from; value < to; ++value) values.push(value);
      },
      [&](auto&& seen, const std::atomic<bool>&) {
        uint64_t value = 0;
        for (values.pop(value); value != end; values.pop(value)) seen(value);
      },
      [&] {
        for (uint64_t c = 0; c < shape.consumers; ++c) values.push(end);
      });
}

// What is not ready is a node that blocks, and with it one of the two workers.
void million(Row& row) {
  const bool cancel = row.name() == "million-cancel";
  Tally ran;
  with_workers([&] {
    std::atomic<bool> ready = false;
    std::deque<Node> made;
    tbb::flow::graph flow;
    Node source(flow, [&](tbb::flow::continue_msg) { ready.wait(false); });
    million_waiting(
        row,
        [&] {
          for (uint64_t i = 0; i < row.size(); ++i) {
            made.emplace_back(flow, [&ran](tbb::flow::continue_msg) { ran.add(); });
            tbb::flow::make_edge(source, made.back());
          }
          source.try_put(tbb::flow::continue_msg());
        },
        [&] {
          if (cancel) flow.cancel();
          ready = true;
          ready.notify_all();
          flow.wait_for_all();
        });
  });
  row.check_equal(ran.sum(), cancel ? 0 : row.size(), "units that ran");
}

void idle(Row& row) {
  tbb::global_control limit(tbb::global_control::max_allowed_parallelism, workers + 1);
  tbb::task_arena arena(workers, 0);  // Both workers are TBB's own; this thread is none.
  std::atomic<bool> ran = false;
  arena.enqueue([&ran] { ran = true; });
  if (row.name() == "idle-sleeping") {
    const auto seconds = std::chrono::seconds(row.size() + 1);
    arena.enqueue([seconds] { std::this_thread::sleep_for(seconds); });
  }
  do_nothing(row);
  row.check(ran, "the first task ran");
}

constexpr Entry rows[] = {
    {"storm-empty", graph},
    {"stages-spin-0", stages},
    {"stages-spin-1", stages},
    {"stages-spin-10", stages},
    {"stages-spin-100", stages},
    {"stages-json-10", stages},
    {"stages-json-100", stages},
    {"stages-json-1000", stages},
    {"skynet", skynet},
    {"chain", graph},
    {"tree", graph},
    {"wavefront", graph},
    {"traversal", graph},
    {"async", async},
    {"pipeline-linear", pipeline_linear},
    {"pipeline-data", pipeline_data},
    {"pipeline-graph", pipeline_graph},
    {"tokio-chained", tokio},
    {"tokio-ping-pong", tokio},
    {"tokio-spawn-many", tokio},
    {"tokio-yield-many", tokio},
    {"handoff-hot", handoff},
    {"handoff-parked", handoff},
    {"handoff-three", handoff_three},
    {"queue-1x1-1", queue},
    {"queue-1x2-1", queue},
    {"queue-2x1-1", queue},
    {"queue-2x2-1", queue},
    {"million-fire", million},
    {"million-cancel", million},
    {"idle", idle},
    {"idle-sleeping", idle},
};

}  // namespace

int main(int argc, char** argv) { return run_program(argc, argv, rows); }
