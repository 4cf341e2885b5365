// tram bench KIND
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <unistd.h>

#include "tram/cli/bench/rounds.h"
#include "tram/cli/bench/server_usage.h"
#include "tram/cli/duration.h"
#include "tram/cli/files.h"
#include "tram/cli/json_text.h"
#include "tram/cli/nearest.h"
#include "tram/cli/signals.h"
#include "tram/cli/verbs.h"

namespace tram::cli {

using base::Duration;
using base::Result;
using bench::Outcome;
using bench::Plan;

namespace {

struct Kind {
  std::string_view name;
  uint64_t messages, publishers, subscribers, clients, window;
  Result<Outcome> (*run)(const Plan&, uint32_t, const base::Clock&, const bench::Progress&);
};

constexpr Kind kinds[] = {
    {"pub", 2'000'000, 1, 0, 0, 1, bench::run_live},
    {"pubsub", 1'000'000, 1, 1, 0, 1, bench::run_live},
    {"fanout", 2'000, 1, 1'000, 0, 1, bench::run_live},
    {"request", 100'000, 0, 1, 1, 1, bench::run_asking},
    {"put", 200'000, 0, 0, 1, 32, bench::run_asking},
    {"queue", 200'000, 0, 1, 1, 32, bench::run_queueing},
};

class Bench final : public Verb {
 public:
  void declare(OptionSet& options) override {
    std::vector<std::string> names;
    for (const Kind& kind : kinds) names.emplace_back(kind.name);
    options.optional("KIND", kind_, "what to measure", names);
    options.number("-m,--messages", messages_, "N", "per round, by all clients together", 1);
    options.number("-z,--size", plan_.size, "BYTES",
                   "of each message (default 16; from 16 on, order is checked)");
    options.number("-p,--publishers", publishers_, "N", "connections that publish", 1, 100'000);
    options.number("-S,--subscribers", subscribers_, "N",
                   "connections that subscribe, answer or take", 1, 100'000);
    options.number("-c,--clients", clients_, "N", "connections that ask or put", 1, 100'000);
    options.number("-W,--window", window_, "N", "in flight per client: asked, put or taken", 1,
                   100'000);
    options.text("--subject", plan_.subject, "NAME",
                 "subject or queue (default one nobody else uses)");
    options.text("-g,--group", plan_.group, "NAME", "subscribers share the messages");
    options.flag("--pairs", plan_.pairs, "each publisher has a subject and subscribers of its own");
    options.number("--server-pid", plan_.server_pid, "PID",
                   "the broker's process on this machine: its CPU time and memory are printed", 1);
    options.number("-R,--rounds", plan_.rounds, "N", "repeat, and print medians (default 1)", 1,
                   10'000);
  }
  std::vector<Example> examples() const override {
    return {{"tram bench pubsub --size 128 --rounds 5", "one publisher, one subscriber"},
            {"tram bench fanout --subscribers 1000 --server-pid $(pidof tram)",
             "what a delivery costs"},
            {"tram bench request --clients 50 --json", "latencies of 50 who ask at once"},
            {"tram bench queue --window 32", "put, take, acknowledge"},
            {"tram bench pub --server nats://127.0.0.1:4222", "any NATS server will do"}};
  }
  std::string_view notes() const override {
    return "  pub      publishers only              pubsub   publishers to subscribers\n"
           "  fanout   one publisher, many readers  request  clients ask, subscribers answer\n"
           "  put      clients store                queue    clients store, subscribers take and "
           "ack\n\n"
           "Everything delivered is counted and checked: nothing missing, nothing twice, in order "
           "per\n"
           "publisher. A round in which something is wrong says so, and the exit code is 1.\n"
           "All clients share one thread, so that the broker has the other cores.\n";
  }
  int run(Context& context) override;

 private:
  void show_round(Context& context, uint64_t round, const Outcome& outcome) const;
  int show_all(Context& context, const std::vector<Outcome>& outcomes) const;

  std::optional<std::string> kind_;
  uint64_t messages_ = 0, publishers_ = 0, subscribers_ = 0, clients_ = 0, window_ = 0;
  Plan plan_;
};

double median(const std::vector<Outcome>& outcomes, double (*value)(const Outcome&)) {
  std::vector<double> values;
  for (const Outcome& outcome : outcomes) values.push_back(value(outcome));
  std::sort(values.begin(), values.end());
  size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// 1234567 as 1.23 M
std::string short_number(double number) {
  if (number >= 1e6) return fmt::format("{:.3g} M", number / 1e6);
  if (number >= 1e4) return fmt::format("{:.3g} k", number / 1e3);
  return fmt::format("{:.4g}", number);
}

struct Percentile {
  const char* name;
  double part;
};
constexpr Percentile percentiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};

template <size_t index>
double percentile_of(const Outcome& outcome) {
  return static_cast<double>(outcome.latency.percentile(percentiles[index].part));
}
constexpr double (*percentile_functions[])(const Outcome&) = {percentile_of<0>, percentile_of<1>,
                                                              percentile_of<2>, percentile_of<3>};

double rate_of(const Outcome& outcome) { return outcome.per_second(); }
double cpu_of(const Outcome& outcome) { return outcome.server_cpu_per_million(); }
double memory_of(const Outcome& outcome) {
  return static_cast<double>(outcome.server_memory_bytes);
}

// The figures of one round, or the medians of many, in one line.
std::string figures(const std::vector<Outcome>& outcomes) {
  std::string line = fmt::format("{:>8}/s", short_number(median(outcomes, rate_of)));
  if (outcomes[0].server_cpu_seconds >= 0) {
    line += fmt::format("  server {:.3f} CPU s per million, {:.1f} MB", median(outcomes, cpu_of),
                        median(outcomes, memory_of) / 1e6);
  }
  if (outcomes[0].latency.count() != 0) {
    line += " ";
    for (size_t i = 0; i < std::size(percentiles); ++i) {
      auto nanoseconds = static_cast<int64_t>(median(outcomes, percentile_functions[i]));
      line += fmt::format(" {} {}", i == 2 ? "p99.9" : percentiles[i].name,
                          show_duration(Duration::from_nanoseconds(nanoseconds)));
    }
  }
  return line;
}

// The same as members of a JSON object, in plain units.
std::string json_figures(const std::vector<Outcome>& outcomes) {
  std::string json = fmt::format("\"per_second\":{:.1f}", median(outcomes, rate_of));
  if (outcomes[0].server_cpu_seconds >= 0) {
    json += fmt::format(",\"server_cpu_seconds_per_million\":{:.6f},\"server_memory_bytes\":{:.0f}",
                        median(outcomes, cpu_of), median(outcomes, memory_of));
  }
  if (outcomes[0].latency.count() != 0) {
    for (size_t i = 0; i < std::size(percentiles); ++i) {
      json += fmt::format(",\"{}_us\":{:.3f}", percentiles[i].name,
                          median(outcomes, percentile_functions[i]) / 1e3);
    }
  }
  return json;
}

void Bench::show_round(Context& context, uint64_t round, const Outcome& outcome) const {
  if (!context.json()) {
    std::string number = plan_.rounds > 1 ? fmt::format("round {:<3} ", round) : std::string();
    (void)context.print(fmt::format("{}{}\n", number, figures({outcome})));
  }
  constexpr size_t shown_max = 5;
  for (size_t i = 0; i < std::min(shown_max, outcome.problems.size()); ++i) {
    (void)write_all(2, fmt::format("tram bench: {}\n", outcome.problems[i]));
  }
  if (outcome.problems.size() > shown_max) {
    (void)write_all(2, fmt::format("tram bench: and {} more of the kind\n",
                                   outcome.problems.size() - shown_max));
  }
}

int Bench::show_all(Context& context, const std::vector<Outcome>& outcomes) const {
  bool right = std::all_of(outcomes.begin(), outcomes.end(),
                           [](const Outcome& o) { return o.problems.empty(); });
  if (context.json()) {
    std::string rounds;
    for (const Outcome& outcome : outcomes) {
      rounds += fmt::format("{}{{\"sent\":{},\"delivered\":{},\"seconds\":{:.6f},{},\"problems\":[",
                            rounds.empty() ? "" : ",", outcome.sent, outcome.delivered,
                            outcome.took.seconds(), json_figures({outcome}));
      for (size_t i = 0; i < outcome.problems.size(); ++i) {
        rounds += (i == 0 ? "" : ",") + json_string(outcome.problems[i]);
      }
      rounds += "]}";
    }
    (void)context.print(
        fmt::format("{{\"kind\":\"{}\",\"server\":{},\"messages\":{},\"size\":{},\"publishers\":{},"
                    "\"subscribers\":{},\"clients\":{},"
                    "\"window\":{},\"verified\":{},\"median\":{{{}}},\"rounds\":[{}]}}\n",
                    plan_.kind, json_string(plan_.options.servers[0].text()), plan_.messages,
                    plan_.size, plan_.publishers, plan_.subscribers, plan_.clients, plan_.window,
                    right, json_figures(outcomes), rounds));
  } else if (outcomes.size() > 1) {
    (void)context.print(fmt::format("median    {}\n", figures(outcomes)));
  }
  return right ? exit_ok : exit_failed;
}

int Bench::run(Context& context) {
  std::vector<std::string> names;
  const Kind* kind = nullptr;
  for (const Kind& one : kinds) {
    names.emplace_back(one.name);
    if (kind_ && *kind_ == one.name) kind = &one;
  }
  if (kind == nullptr) {
    std::string near = kind_ ? nearest(*kind_, names) : std::string();
    return context.refuse(fmt::format("say what to measure: {}{}", fmt::join(names, ", "),
                                      near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  auto either = [](uint64_t asked, uint64_t otherwise) { return asked != 0 ? asked : otherwise; };
  plan_.kind = kind->name;
  plan_.messages = either(messages_, kind->messages);
  plan_.publishers = either(publishers_, kind->publishers);
  plan_.subscribers = either(subscribers_, kind->subscribers);
  plan_.clients = either(clients_, kind->clients);
  plan_.window = either(window_, kind->window);
  if (plan_.subject.empty()) plan_.subject = fmt::format("bench.{}", ::getpid());
  if (plan_.server_pid != 0 && !bench::usage_of(plan_.server_pid)) {
    return context.refuse(fmt::format("there is no process {} to look at", plan_.server_pid));
  }
  Signals signals;
  auto options = context.client_options();
  if (!options) return context.fail(options.error());
  options->stop = signals.stop();
  plan_.options = std::move(*options);
  // One connection the usual way first, for the usual words when nobody answers.
  if (auto client = context.connect(signals.stop()); !client) return context.fail(client.error());

  bool terminal = ::isatty(STDERR_FILENO) != 0 && !context.globals().quiet;
  auto progress = [&](uint64_t done, uint64_t all) {
    if (terminal) fmt::print(stderr, "\r{:3} %", done * 100 / std::max<uint64_t>(1, all));
  };
  context.say("{}: {} messages of {} bytes to {}", plan_.kind, plan_.messages, plan_.size,
              plan_.options.servers[0].text());
  std::vector<Outcome> outcomes;
  for (uint64_t round = 1; round <= plan_.rounds; ++round) {
    auto outcome = kind->run(plan_, static_cast<uint32_t>(round), context.clock(), progress);
    if (terminal) fmt::print(stderr, "\r       \r");
    if (!outcome) return context.fail(outcome.error());
    show_round(context, round, *outcome);
    outcomes.push_back(std::move(*outcome));
  }
  return show_all(context, outcomes);
}

}  // namespace

std::unique_ptr<Verb> make_bench() { return std::make_unique<Bench>(); }

}  // namespace tram::cli
