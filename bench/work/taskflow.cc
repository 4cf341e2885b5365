// Taskflow's rows. It has no timers and no batches, so no storm with sleeping units, and no queue
// that one could use apart.
#include <taskflow/algorithm/data_pipeline.hpp>
#include <taskflow/algorithm/pipeline.hpp>
#include <taskflow/taskflow.hpp>

#include "rows.h"

using namespace bench;

namespace {

void graph(Row& row) {
  tf::Executor executor(workers);
  with_graph(row, [&](auto& nodes) {
    std::vector<tf::Task> made;
    tf::Taskflow flow;
    double run_seconds = 0;
    row.timed([&] {
      made.reserve(nodes.nodes());
      for (uint32_t n = 0; n < nodes.nodes(); ++n) {
        made.push_back(flow.emplace([&nodes, n] { nodes.run(n); }));
      }
      for (uint32_t n = 0; n < nodes.nodes(); ++n) {
        nodes.each_successor(n, [&](uint32_t m) { made[n].precede(made[m]); });
      }
      const auto start = Clock::now();
      executor.run(flow).wait();
      run_seconds = seconds_since(start);
    });
    row.note("run_seconds", run_seconds);
  });
}

uint64_t skynet_sum(tf::Executor& executor, uint64_t first, uint64_t leaves) {
  if (leaves == 1) return first;
  std::array<uint64_t, Skynet::fan> sums;
  const uint64_t each = leaves / Skynet::fan;
  auto group = executor.task_group();
  for (uint64_t i = 0; i < Skynet::fan; ++i) {
    group.silent_async([&executor, &sums, i, first, each] {
      sums[i] = skynet_sum(executor, first + i * each, each);
    });
  }
  group.corun();
  uint64_t sum = 0;
  for (uint64_t one : sums) sum += one;
  return sum;
}

void skynet(Row& row) {
  tf::Executor executor(workers);
  uint64_t sum = 0;
  row.timed([&] { executor.async([&] { sum = skynet_sum(executor, 0, row.size()); }).wait(); });
  Skynet::verify(row, sum);
}

void async(Row& row) {
  tf::Executor executor(workers);
  Tally ran;
  row.timed([&] {
    for (uint64_t i = 0; i < row.size(); ++i) executor.silent_async([&ran] { ran.add(); });
    executor.wait_for_all();
  });
  row.check_equal(ran.sum(), row.size(), "tasks that ran");
}

template <typename Pipeline>
void run(Row& row, Pipeline& pipeline) {
  tf::Executor executor(workers);
  tf::Taskflow flow;
  flow.composed_of(pipeline);
  row.timed([&] { executor.run(flow).wait(); });
}

void stages_once(Row& row, Stages& all) {
  const size_t lines = all.workers_each() * Stages::count;
  std::vector<Stages::Job> at(lines);  // What each line carries; Taskflow has no values of its own.
  auto work = [&](tf::Pipeflow& token) { all.work(at[token.line()]); };
  tf::Pipeline pipeline(
      lines,
      tf::Pipe{tf::PipeType::SERIAL,
               [&](tf::Pipeflow& token) {
                 if (token.token() == all.jobs()) return token.stop();
                 at[token.line()] = all.make(token.token());
               }},
      tf::Pipe{tf::PipeType::PARALLEL, auto(work)}, tf::Pipe{tf::PipeType::PARALLEL, auto(work)},
      tf::Pipe{tf::PipeType::PARALLEL, auto(work)},
      tf::Pipe{tf::PipeType::SERIAL, [&](tf::Pipeflow& token) { all.received(at[token.line()]); }});
  run(row, pipeline);
}

void stages(Row& row) {
  Stages all(row);
  all.iterate([&] { stages_once(row, all); });
}

void pipeline_linear(Row& row) {
  LinearPipeline shape;
  auto& stage = shape.stage;
  auto look = [](auto& one) { return [&one](tf::Pipeflow& token) { one(token.token()); }; };
  tf::Pipeline pipeline(LinearPipeline::lines,
                        tf::Pipe{tf::PipeType::SERIAL,
                                 [&](tf::Pipeflow& token) {
                                   if (token.token() == row.size()) return token.stop();
                                   stage[0](token.token());
                                 }},
                        tf::Pipe{tf::PipeType::SERIAL, look(stage[1])},
                        tf::Pipe{tf::PipeType::SERIAL, look(stage[2])},
                        tf::Pipe{tf::PipeType::SERIAL, look(stage[3])});
  run(row, pipeline);
  shape.verify(row);
}

void pipeline_data(Row& row) {
  DataPipeline shape;
  const auto serial = tf::PipeType::SERIAL;
  tf::DataPipeline pipeline(
      DataPipeline::lines,
      tf::make_data_pipe<void, int>(serial,
                                    [&](tf::Pipeflow& token) {
                                      if (token.token() == row.size()) {
                                        token.stop();
                                        return 0;
                                      }
                                      return DataPipeline::first(token.token());
                                    }),
      tf::make_data_pipe<int, std::string>(
          serial, [](int& value) { return DataPipeline::to_string(value); }),
      tf::make_data_pipe<std::string, int>(
          serial, [](std::string& value) { return DataPipeline::to_int(value); }),
      tf::make_data_pipe<int, float>(serial,
                                     [](int& value) { return DataPipeline::to_float(value); }),
      tf::make_data_pipe<float, void>(serial, [&](float& value) { shape.last(value); }));
  run(row, pipeline);
  shape.verify(row);
}

void pipeline_graph(Row& row) {
  GraphPipeline shape(row.size());
  std::array<uint64_t, GraphPipeline::lines> at;
  tf::Pipeline pipeline(
      GraphPipeline::lines,
      tf::Pipe{tf::PipeType::SERIAL,
               [&](tf::Pipeflow& token) {
                 if (token.token() == shape.graph.nodes()) return token.stop();
                 at[token.line()] = GraphPipeline::first(token.token());
               }},
      tf::Pipe{
          tf::PipeType::SERIAL,
          [&](tf::Pipeflow& token) { at[token.line()] = GraphPipeline::second(at[token.line()]); }},
      tf::Pipe{tf::PipeType::SERIAL, [&](tf::Pipeflow& token) {
                 shape.third(static_cast<uint32_t>(token.token()), at[token.line()]);
               }});
  run(row, pipeline);
  shape.verify(row);
}

struct TokioTasks {
  tf::Executor executor{workers};
  Tally ran;
  void again(uint64_t left) {
    ran.add();
    if (left > 1) executor.silent_async([this, left] { again(left - 1); });
  }
  void once(const std::string& name) {
    if (name == "tokio-chained") {
      executor.silent_async([this] { again(Tokio::chained); });
    } else if (name == "tokio-ping-pong") {
      for (uint64_t i = 0; i < Tokio::pings; ++i) {
        executor.silent_async([this] {
          executor.silent_async([this] { executor.silent_async([this] { ran.add(); }); });
        });
      }
    } else if (name == "tokio-spawn-many") {
      for (uint64_t i = 0; i < Tokio::spawned; ++i) executor.silent_async([this] { ran.add(); });
    } else {
      for (uint64_t i = 0; i < Tokio::yielders; ++i) {
        executor.silent_async([this] { again(Tokio::yields_each); });
      }
    }
    executor.wait_for_all();
  }
};

void tokio(Row& row) {
  TokioTasks tasks;
  row.timed([&] {
    for (uint64_t i = 0; i < row.size(); ++i) tasks.once(row.name());
  });
  Tokio::verify(row, tasks.ran.sum());
}

// What is not ready is a task that blocks, and with it one of the two workers.
void million(Row& row) {
  const bool cancel = row.name() == "million-cancel";
  tf::Executor executor(workers);
  tf::Taskflow flow;
  tf::Future<void> over;
  Tally ran;
  std::atomic<bool> started = false, ready = false;
  million_waiting(
      row,
      [&] {
        tf::Task source = flow.emplace([&] {
          started = true;
          ready.wait(false);
        });
        for (uint64_t i = 0; i < row.size(); ++i) {
          source.precede(flow.emplace([&ran] { ran.add(); }));
        }
        over = executor.run(flow);
        while (!started) std::this_thread::yield();
      },
      [&] {
        if (cancel) over.cancel();
        ready = true;
        ready.notify_all();
        over.wait();
      });
  row.check_equal(ran.sum(), cancel ? 0 : row.size(), "units that ran");
}

void idle(Row& row) {
  tf::Executor executor(workers);
  std::atomic<bool> ran = false;
  executor.silent_async([&ran] { ran = true; });
  if (row.name() == "idle-sleeping") {
    const auto seconds = std::chrono::seconds(row.size() + 1);
    executor.silent_async([seconds] { std::this_thread::sleep_for(seconds); });
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
    {"million-fire", million},
    {"million-cancel", million},
    {"idle", idle},
    {"idle-sleeping", idle},
};

}  // namespace

int main(int argc, char** argv) { return run_program(argc, argv, rows); }
