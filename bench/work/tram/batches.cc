// Rows of batchers. Each of MCS's configurations is the options that say the same here; what has no
// such option, the size of a buffer, is the default.
#include <map>

#include "parts.h"

#include "tram/work/batcher.h"

using namespace tram::work;
using namespace std::chrono_literals;

namespace bench {

namespace {

using Ask = Batcher<int, void>;

constexpr uint64_t items_each = 1000;  // Of one iteration of MCS's benchmark.

const std::map<std::string_view, Ask::Options>& configurations() {
  static const std::map<std::string_view, Ask::Options> all = {
      {"single-tiny-interval", {.max_wait = 1ns}},
      {"single-huge-interval", {.max_wait = 10ms}},
      {"single-tiny-batch", {.max_items = 1}},
      {"single-huge-batch", {.max_items = 1000}},
      {"single-one-consumer", {.inflight = 1}},
      {"single-guess-consumers", {.inflight = workers / 2}},
      {"single-many-consumers", {.inflight = 1000}},
      {"single-guesstimate", {.max_items = 200, .max_wait = 1ns, .inflight = 3}},
      {"batch-many-consumers", {.inflight = items_each * 2}},
      {"batch-tiny-batch", {.max_items = 1}},
      {"batch-huge-batch", {.max_items = items_each * 10}},
      {"batch-tiny-interval", {.max_wait = 1ns}},
      {"batch-slow-huge-batch", {.max_items = items_each}},
  };
  return all;
}

Ask::Options options_of(const Row& row) {
  auto found = configurations().find(row.name());
  return found == configurations().end() ? Ask::Options() : found->second;
}

}  // namespace

// Two callers, each of which sends one item and waits for it before the next.
void single(Row& row) {
  constexpr uint64_t callers = 2;
  Runtime runtime({.workers = workers});
  std::atomic<uint64_t> done = 0;
  Ask ask(runtime, options_of(row), [&](std::span<const int> items) { done += items.size(); });
  row.timed([&] {
    std::vector<std::jthread> threads;
    for (uint64_t c = 0; c < callers; ++c) {
      const uint64_t share = row.size() * (c + 1) / callers - row.size() * c / callers;
      threads.emplace_back([&ask, &row, share] {
        for (uint64_t i = 0; i < share; ++i) row.check(ask.get(1000).has_value(), "answered");
      });
    }
  });
  row.check_equal(done, row.size(), "items that were done");
}

// One caller sends an iteration's items, and waits for all of them; none: makes and closes.
void batch(Row& row) {
  Runtime runtime({.workers = workers});
  std::atomic<uint64_t> done = 0;
  const bool slow = row.name().starts_with("batch-slow");
  auto call = [&](std::span<const int> items, Context c) {
    if (slow) c.blocking([] { std::this_thread::sleep_for(5ms); });
    done += items.size();
  };
  if (row.name() == "batch-none") {
    row.timed([&] {
      for (uint64_t i = 0; i < row.size(); ++i) Ask(runtime, call);
    });
    return;
  }
  const uint64_t each = row.name() == "batch-lots" ? 10 * items_each : items_each;
  Ask ask(runtime, options_of(row), call);
  row.timed([&] {
    for (uint64_t sent = 0; sent < row.size();) {
      Scope scope(runtime);
      for (const uint64_t end = std::min(row.size(), sent + each); sent < end; ++sent)
        ask(1000, scope);
      row.check(scope.wait().has_value(), "answered");
    }
  });
  row.note("calls", static_cast<double>(ask.stats().calls));
  row.check_equal(done, row.size(), "items that were done");
}

namespace {

struct Loader {
  Loads& all;
  Batcher<uint64_t, void>& load;
  // What is loaded, and then all that it leads to.
  void from(uint64_t key, Context c) const {
    auto then = [this, key](Context next) {
      all.each_next(key, [&](uint64_t k) { from(k, next); });
    };
    c.spawn_after(then, load(key, c));
  }
};

}  // namespace

void loads(Row& row) {
  Loads all(row);
  Runtime runtime({.workers = workers});
  // As few calls as can be: also a full batch waits until nothing more could join.
  Batcher<uint64_t, void> load(
      runtime,
      {.max_items = all.cap() > 0 ? all.cap() : row.size(),
       .max_wait = 10s,
       .slot_wait = 10s,
       .flush = Flush::only_idle,
       .inflight = 16},
      [&](std::span<const uint64_t> keys, Context c) { c.blocking([&] { all.call(keys); }); });
  Loader loader{all, load};
  row.timed([&] {
    Scope scope(runtime);
    scope.spawn([&](Context c) { loader.from(0, c); });
    row.check(scope.wait().has_value(), "loaded");
  });
  all.verify(row);
}

}  // namespace bench
