// Rows of pipelines.
#include "parts.h"

#include "tram/work/pipeline.h"

using namespace tram::work;

namespace bench {

namespace {

// A stage of one worker, which the order of the source goes through.
const StageOptions serial = {.workers = 1, .ordered = true};

// The tokens 0 to count-1, as first(token) makes them.
template <typename First>
auto tokens(uint64_t count, First first) {
  return from([next = uint64_t{0}, count, first]() mutable {
    using Token = decltype(first(next));
    return next == count ? std::optional<Token>() : std::optional<Token>(first(next++));
  });
}

}  // namespace

void stages(Row& row) {
  Stages all(row);
  Runtime runtime({.workers = workers});
  const StageOptions options = {.workers = all.workers_each()};
  auto work = [&](Stages::Job job) {
    all.work(job);
    return job;
  };
  all.iterate([&] {
    auto jobs = tokens(all.jobs(), [&](uint64_t number) { return all.make(number); });
    row.timed([&] {
      Result<void> done = std::move(jobs) | stage("one", options, work) |
                          stage("two", options, work) | stage("three", options, work) |
                          for_each([&](const Stages::Job& job) { all.received(job); }) |
                          run(runtime, {.window = all.workers_each() * Stages::count});
      row.check(done.has_value(), "the pipeline did not fail");
    });
  });
}

void pipeline_linear(Row& row) {
  LinearPipeline pipeline;
  Runtime runtime({.workers = workers});
  auto look = [&](size_t stage) {
    return [&one = pipeline.stage[stage]](uint64_t token) {
      one(token);
      return token;
    };
  };
  row.timed([&] {
    Result<void> done = tokens(row.size(), look(0)) | stage("one", serial, look(1)) |
                        stage("two", serial, look(2)) |
                        for_each([&](uint64_t token) { pipeline.stage[3](token); }) |
                        run(runtime, {.window = LinearPipeline::lines});
    row.check(done.has_value(), "the pipeline did not fail");
  });
  pipeline.verify(row);
}

void pipeline_data(Row& row) {
  DataPipeline pipeline;
  Runtime runtime({.workers = workers});
  row.timed([&] {
    Result<void> done = tokens(row.size(), DataPipeline::first) |
                        stage("to string", serial, DataPipeline::to_string) |
                        stage("to int", serial, DataPipeline::to_int) |
                        stage("to float", serial, DataPipeline::to_float) |
                        for_each([&](float value) { pipeline.last(value); }) |
                        run(runtime, {.window = DataPipeline::lines});
    row.check(done.has_value(), "the pipeline did not fail");
  });
  pipeline.verify(row);
}

void pipeline_graph(Row& row) {
  GraphPipeline pipeline(row.size());
  Runtime runtime({.workers = workers});
  struct Token {
    uint32_t node = 0;
    uint64_t value = 0;
  };
  auto first = [](uint64_t token) {
    return Token{static_cast<uint32_t>(token), GraphPipeline::first(token)};
  };
  auto second = [](const Token& token) {
    return Token{token.node, GraphPipeline::second(token.value)};
  };
  row.timed([&] {
    Result<void> done =
        tokens(pipeline.graph.nodes(), first) | stage("second", serial, second) |
        for_each([&](const Token& token) { pipeline.third(token.node, token.value); }) |
        run(runtime, {.window = GraphPipeline::lines});
    row.check(done.has_value(), "the pipeline did not fail");
  });
  pipeline.verify(row);
}

}  // namespace bench
