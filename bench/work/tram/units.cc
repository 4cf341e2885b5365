// Rows of units and scopes.
#include "parts.h"

#include "tram/work/scope.h"

using namespace tram::work;
using namespace std::chrono_literals;

namespace bench {

namespace {

// Spawns a unit for each node, after those it waits for; each runs body(node, context).
template <typename Nodes, typename Body>
void spawn_nodes(const Scope& scope, Nodes& nodes, const Body& body) {
  std::vector<Unit<void>> units;
  units.reserve(nodes.nodes());
  auto run = [body](uint32_t n) { return [body, n](Context c) { return body(n, c); }; };
  for (uint32_t n = 0; n < nodes.nodes(); ++n) {
    Unit<void> before[2];
    std::vector<Unit<void>> more;
    uint32_t count = 0;
    if (nodes.waits_for(n) > 2)
      nodes.each_predecessor(n, [&](uint32_t m) { more.push_back(units[m]); });
    else
      nodes.each_predecessor(n, [&](uint32_t m) { before[count++] = units[m]; });
    if (!more.empty())
      units.push_back(scope.spawn_after(run(n), all(std::move(more))));
    else if (count == 2)
      units.push_back(scope.spawn_after(run(n), std::move(before[0]), std::move(before[1])));
    else if (count == 1)
      units.push_back(scope.spawn_after(run(n), std::move(before[0])));
    else
      units.push_back(scope.spawn(run(n)));
  }
}

}  // namespace

void graph(Row& row) {
  with_graph(row, [&](auto& nodes) {
    Runtime runtime({.workers = workers});
    double run_seconds = 0;
    row.timed([&] {
      Scope scope(runtime);
      const auto start = Clock::now();
      spawn_nodes(scope, nodes, [&nodes](uint32_t n, Context) { nodes.run(n); });
      row.check(scope.wait().has_value(), "no unit failed");
      run_seconds = seconds_since(start);
    });
    row.note("run_seconds", run_seconds);
  });
}

// Each unit is over a millisecond after those it waits for: no thread sleeps.
void storm(Row& row) {
  with_graph(row, [&](auto& nodes) {
    Runtime runtime({.workers = workers});
    row.timed([&] {
      Scope scope(runtime);
      spawn_nodes(scope, nodes, [&nodes](uint32_t n, Context c) {
        return c.spawn_after([&nodes, n] { nodes.run(n); }, c.sleep(1ms));
      });
      row.check(scope.wait().has_value(), "no unit failed");
    });
  });
}

namespace {

Unit<uint64_t> skynet_sum(uint64_t first, uint64_t leaves, Context c) {
  std::vector<Unit<uint64_t>> units;
  units.reserve(Skynet::fan);
  const uint64_t each = leaves / Skynet::fan;
  for (uint64_t i = 0; i < Skynet::fan; ++i) {
    if (each == 1)
      units.push_back(c.spawn([](uint64_t leaf) { return leaf; }, first + i));
    else
      units.push_back(c.spawn(skynet_sum, first + i * each, each));
  }
  auto add = [](const std::vector<uint64_t>& sums) {
    uint64_t sum = 0;
    for (uint64_t one : sums) sum += one;
    return sum;
  };
  return c.spawn_after(add, all(std::move(units)));
}

}  // namespace

void skynet(Row& row) {
  Runtime runtime({.workers = workers});
  uint64_t sum = 0;
  row.timed([&] {
    Scope scope(runtime);
    sum = scope.spawn(skynet_sum, uint64_t{0}, row.size()).value();
  });
  Skynet::verify(row, sum);
}

void async(Row& row) {
  Runtime runtime({.workers = workers});
  Tally ran;
  row.timed([&] {
    Scope scope(runtime);
    for (uint64_t i = 0; i < row.size(); ++i) scope.spawn([&ran] { ran.add(); });
    row.check(scope.wait().has_value(), "no unit failed");
  });
  row.check_equal(ran.sum(), row.size(), "tasks that ran");
}

namespace {

struct TokioUnits {
  Runtime runtime{{.workers = workers}};
  Tally ran;

  void again(uint64_t left, Context c) {
    ran.add();
    if (left > 1) c.spawn([this, left](Context next) { again(left - 1, next); });
  }
  void ping(Context c) {
    c.spawn([this](Context answer) { answer.spawn([this] { ran.add(); }); });
  }
  void once(const std::string& name) {
    Scope scope(runtime);
    if (name == "tokio-chained") {
      scope.spawn([this](Context c) { again(Tokio::chained, c); });
    } else if (name == "tokio-ping-pong") {
      for (uint64_t i = 0; i < Tokio::pings; ++i) scope.spawn([this](Context c) { ping(c); });
    } else if (name == "tokio-spawn-many") {
      for (uint64_t i = 0; i < Tokio::spawned; ++i) scope.spawn([this] { ran.add(); });
    } else {
      for (uint64_t i = 0; i < Tokio::yielders; ++i)
        scope.spawn([this](Context c) { again(Tokio::yields_each, c); });
    }
    if (!scope.wait()) std::abort();
  }
};

}  // namespace

void tokio(Row& row) {
  TokioUnits units;
  row.timed([&] {
    for (uint64_t i = 0; i < row.size(); ++i) units.once(row.name());
  });
  Tokio::verify(row, units.ran.sum());
}

void million(Row& row) {
  const bool cancel = row.name() == "million-cancel";
  Runtime runtime({.workers = workers});
  Tally ran;
  {
    Scope scope(runtime);
    auto [ready, promise] = scope.external<void>();
    million_waiting(
        row,
        [&] {
          for (uint64_t i = 0; i < row.size(); ++i) scope.spawn_after([&ran] { ran.add(); }, ready);
        },
        [&] {
          if (cancel)
            scope.cancel();
          else
            promise.set_value();
          (void)scope.wait();
        });
  }
  row.check_equal(ran.sum(), cancel ? 0 : row.size(), "units that ran");
}

void idle(Row& row) {
  Runtime runtime({.workers = workers});
  Scope scope(runtime);
  std::atomic<bool> ran = false;
  scope.spawn([&ran] { ran = true; });
  if (row.name() == "idle-sleeping") scope.sleep(std::chrono::seconds(row.size() + 1));
  do_nothing(row);
  row.check(ran, "the first task ran");
  scope.cancel();
}

}  // namespace bench
