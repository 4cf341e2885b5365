// Boost.Asio's rows: a thread_pool of two. It has neither dependencies nor stages nor windows, so
// these are written here as its users write them: counters, strands and a semaphore.
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <mutex>
#include <optional>
#include <semaphore>

#include "rows.h"

using namespace bench;
namespace asio = boost::asio;

namespace {

// How many are not over yet, for a thread that waits for all of them.
class Outstanding {
 public:
  explicit Outstanding(uint64_t count) : count_(count) {}
  void one_over() {
    if (count_.fetch_sub(1) == 1) over_.release();
  }
  void wait() { over_.acquire(); }

 private:
  std::atomic<uint64_t> count_;
  std::binary_semaphore over_{0};
};

template <typename Graph>
class GraphRun {
 public:
  // `pause`: what each unit waits by a timer of its own before it ends.
  GraphRun(Graph& graph, asio::thread_pool& pool, std::chrono::milliseconds pause)
      : graph_(graph),
        pool_(pool),
        pause_(pause),
        pending_(new std::atomic<uint32_t>[graph.nodes()]),
        outstanding_(graph.nodes()) {
    for (uint32_t n = 0; n < graph_.nodes(); ++n) pending_[n] = graph_.waits_for(n);
  }
  void run() {
    for (uint32_t n = 0; n < graph_.nodes(); ++n) {
      if (graph_.waits_for(n) == 0) submit(n);
    }
    outstanding_.wait();
  }

 private:
  void submit(uint32_t n) {
    if (pause_.count() == 0) {
      asio::post(pool_, [this, n] { end(n); });
      return;
    }
    auto timer = std::make_unique<asio::steady_timer>(pool_, pause_);
    auto& waiting = *timer;
    waiting.async_wait([this, n, timer = std::move(timer)](auto) { end(n); });
  }
  void end(uint32_t n) {
    graph_.run(n);
    graph_.each_successor(n, [&](uint32_t m) {
      if (pending_[m].fetch_sub(1) == 1) submit(m);
    });
    outstanding_.one_over();
  }

  Graph& graph_;
  asio::thread_pool& pool_;
  std::chrono::milliseconds pause_;
  std::unique_ptr<std::atomic<uint32_t>[]> pending_;
  Outstanding outstanding_;
};

void graph(Row& row) {
  const bool sleeping = row.name() == "storm" || row.name() == "storm-large";
  asio::thread_pool pool(workers);
  with_graph(row, [&](auto& nodes) {
    row.timed([&] {
      GraphRun run(nodes, pool, std::chrono::milliseconds(sleeping ? 1 : 0));
      run.run();
    });
  });
}

struct SkynetUnit {
  asio::thread_pool& pool;
  SkynetUnit* parent;
  Outstanding& over;
  std::atomic<uint64_t> sum = 0;
  std::atomic<uint64_t> pending = Skynet::fan;

  void add(uint64_t value) {
    sum.fetch_add(value);
    if (pending.fetch_sub(1) != 1) return;
    if (parent != nullptr) {
      parent->add(sum);
      delete this;
    } else {
      over.one_over();
    }
  }
  void spread(uint64_t first, uint64_t leaves) {
    const uint64_t each = leaves / Skynet::fan;
    for (uint64_t i = 0; i < Skynet::fan; ++i) {
      asio::post(pool, [this, begin = first + i * each, each] {
        if (each == 1) return add(begin);
        (new SkynetUnit{pool, this, over})->spread(begin, each);
      });
    }
  }
};

void skynet(Row& row) {
  asio::thread_pool pool(workers);
  Outstanding over(1);
  SkynetUnit root{pool, nullptr, over};
  row.timed([&] {
    root.spread(0, row.size());
    over.wait();
  });
  pool.join();
  Skynet::verify(row, root.sum);
}

void async(Row& row) {
  asio::thread_pool pool(workers);
  Tally ran;
  row.timed([&] {
    for (uint64_t i = 0; i < row.size(); ++i) asio::post(pool, [&ran] { ran.add(); });
    pool.join();
  });
  row.check_equal(ran.sum(), row.size(), "tasks that ran");
}

void stages_once(Row& row, Stages& all) {
  asio::thread_pool pool(workers);
  std::counting_semaphore<> window(all.workers_each() * Stages::count);
  std::mutex receiving;
  struct Carry {
    asio::thread_pool& pool;
    Stages& all;
    std::counting_semaphore<>& window;
    std::mutex& receiving;
    void operator()(Stages::Job job) {
      all.work(job);
      if (job.stages_done < Stages::count) {
        asio::post(pool,
                   [carry = *this, job = std::move(job)]() mutable { carry(std::move(job)); });
        return;
      }
      {
        std::lock_guard lock(receiving);
        all.received(job);
      }
      window.release();
    }
  };
  row.timed([&] {
    for (uint64_t i = 0; i < all.jobs(); ++i) {
      window.acquire();
      asio::post(pool, [carry = Carry{pool, all, window, receiving}, job = all.make(i)]() mutable {
        carry(std::move(job));
      });
    }
    pool.join();
  });
}

void stages(Row& row) {
  Stages all(row);
  all.iterate([&] { stages_once(row, all); });
}

// A strand for each stage: serial, and in the order of submission.
using Strand = asio::strand<asio::thread_pool::executor_type>;
struct Strands {
  explicit Strands(size_t count) {
    for (size_t i = 0; i < count; ++i) strand.push_back(asio::make_strand(pool.get_executor()));
  }
  asio::thread_pool pool{workers};
  std::vector<Strand> strand;
  std::counting_semaphore<> window{LinearPipeline::lines};
};

void pipeline_linear(Row& row) {
  LinearPipeline pipeline;
  Strands strands(LinearPipeline::stages);
  struct Carry {
    Strands& strands;
    LinearPipeline& pipeline;
    uint64_t token;
    size_t stage;
    void operator()() {
      pipeline.stage[stage](token);
      if (++stage == LinearPipeline::stages) return strands.window.release();
      asio::post(strands.strand[stage], *this);
    }
  };
  row.timed([&] {
    for (uint64_t token = 0; token < row.size(); ++token) {
      strands.window.acquire();
      asio::post(strands.strand[0], Carry{strands, pipeline, token, 0});
    }
    strands.pool.join();
  });
  pipeline.verify(row);
}

void pipeline_data(Row& row) {
  DataPipeline pipeline;
  Strands strands(5);
  auto& at = strands.strand;
  auto last = [&](float value) {
    pipeline.last(value);
    strands.window.release();
  };
  auto fourth = [&](int value) {
    asio::post(at[4], [&last, out = DataPipeline::to_float(value)] { last(out); });
  };
  auto third = [&](const std::string& value) {
    asio::post(at[3], [&fourth, out = DataPipeline::to_int(value)] { fourth(out); });
  };
  auto second = [&](int value) {
    asio::post(at[2], [&third, out = DataPipeline::to_string(value)] { third(out); });
  };
  row.timed([&] {
    for (uint64_t token = 0; token < row.size(); ++token) {
      strands.window.acquire();
      asio::post(at[0], [&, token] {
        asio::post(at[1], [&second, out = DataPipeline::first(token)] { second(out); });
      });
    }
    strands.pool.join();
  });
  pipeline.verify(row);
}

void pipeline_graph(Row& row) {
  GraphPipeline pipeline(row.size());
  Strands strands(3);
  auto third = [&](uint32_t node, uint64_t value) {
    pipeline.third(node, value);
    strands.window.release();
  };
  auto second = [&](uint32_t node, uint64_t value) {
    asio::post(strands.strand[2],
               [&third, node, out = GraphPipeline::second(value)] { third(node, out); });
  };
  row.timed([&] {
    for (uint32_t node = 0; node < pipeline.graph.nodes(); ++node) {
      strands.window.acquire();
      asio::post(strands.strand[0], [&, node] {
        asio::post(strands.strand[1],
                   [&second, node, out = GraphPipeline::first(node)] { second(node, out); });
      });
    }
    strands.pool.join();
  });
  pipeline.verify(row);
}

struct TokioTasks {
  asio::thread_pool pool{workers};
  Tally ran;
  std::optional<Outstanding> left;
  void end() {
    ran.add();
    left->one_over();
  }
  void again(uint64_t times) {
    if (times > 1) asio::post(pool, [this, times] { again(times - 1); });
    end();
  }
  void once(const std::string& name) {
    if (name == "tokio-chained") {
      left.emplace(Tokio::chained);
      asio::post(pool, [this] { again(Tokio::chained); });
    } else if (name == "tokio-ping-pong") {
      left.emplace(Tokio::pings);
      for (uint64_t i = 0; i < Tokio::pings; ++i) {
        asio::post(pool,
                   [this] { asio::post(pool, [this] { asio::post(pool, [this] { end(); }); }); });
      }
    } else if (name == "tokio-spawn-many") {
      left.emplace(Tokio::spawned);
      for (uint64_t i = 0; i < Tokio::spawned; ++i) asio::post(pool, [this] { end(); });
    } else {
      left.emplace(Tokio::yielders * Tokio::yields_each);
      for (uint64_t i = 0; i < Tokio::yielders; ++i) {
        asio::post(pool, [this] { again(Tokio::yields_each); });
      }
    }
    left->wait();
  }
};

void tokio(Row& row) {
  TokioTasks tasks;
  row.timed([&] {
    for (uint64_t i = 0; i < row.size(); ++i) tasks.once(row.name());
  });
  tasks.pool.join();
  Tokio::verify(row, tasks.ran.sum());
}

// Two contexts with a thread each; hot polls, parked runs.
void handoff(Row& row) {
  const bool hot = row.name() == "handoff-hot";
  asio::io_context here(1), there(1);
  auto here_work = asio::make_work_guard(here), there_work = asio::make_work_guard(there);
  uint64_t trips = 0;
  struct Ball {
    asio::io_context &here, &there;
    uint64_t& trips;
    uint64_t size;
    void operator()() const {  // Runs in `here`.
      if (trips == size) {
        here.stop();
        there.stop();
        return;
      }
      asio::post(there, [ball = *this] {
        ++ball.trips;
        asio::post(ball.here, ball);
      });
    }
  };
  auto turn = [hot](asio::io_context& context) {
    if (!hot) {
      context.run();
      return;
    }
    while (!context.stopped()) context.poll();
  };
  row.timed([&] {
    asio::post(here, Ball{here, there, trips, row.size()});
    std::jthread other([&] { turn(there); });
    turn(here);
  });
  row.units(2 * row.size());
  row.check_equal(trips, row.size(), "round trips");
}

void handoff_three(Row& row) {
  asio::io_context middle(1), end(1);
  auto middle_work = asio::make_work_guard(middle), end_work = asio::make_work_guard(end);
  Latencies latencies(row.size());
  row.timed([&] {
    std::jthread second([&] { middle.run(); });
    std::jthread third([&] { end.run(); });
    for (uint64_t i = 0; i < row.size(); ++i) {
      asio::post(middle, [&, due = latencies.wait_until_due(i)] {
        asio::post(end, [&latencies, due] { latencies.arrived(due); });
      });
    }
    asio::post(middle, [&] {
      asio::post(end, [&] { end.stop(); });
      middle.stop();
    });
  });
  latencies.verify(row);
}

// The nearest thing to a condition: a timer that does not expire, and is cancelled to fire.
void million(Row& row) {
  asio::thread_pool pool(workers);
  asio::steady_timer never(pool, asio::steady_timer::time_point::max());
  Tally ran;
  million_waiting(
      row,
      [&] {
        for (uint64_t i = 0; i < row.size(); ++i) never.async_wait([&ran](auto) { ran.add(); });
      },
      [&] {
        never.cancel();
        pool.join();
      });
  row.check_equal(ran.sum(), row.size(), "units that ran");
}

void idle(Row& row) {
  asio::thread_pool pool(workers);
  std::atomic<bool> ran = false;
  asio::post(pool, [&ran] { ran = true; });
  asio::steady_timer timer(pool, std::chrono::seconds(row.size() + 1));
  if (row.name() == "idle-sleeping") timer.async_wait([](auto) {});
  do_nothing(row);
  row.check(ran, "the first task ran");
}

constexpr Entry rows[] = {
    {"storm", graph},
    {"storm-large", graph},
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
    {"million-fire", million},
    {"idle", idle},
    {"idle-sleeping", idle},
};

}  // namespace

int main(int argc, char** argv) { return run_program(argc, argv, rows); }
