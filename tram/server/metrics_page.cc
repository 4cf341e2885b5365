#include "tram/server/metrics_page.h"

#include <algorithm>
#include <map>

#include "tram/base/metrics_text.h"
#include "tram/server/process_stats.h"

namespace tram::server {

namespace {

using base::Counter;
using base::MetricsText;
using base::MetricType;
using broker::QueueInfo;
using protocols::DoorCounters;
using enum MetricType;

void write_process(MetricsText& text, const MetricsSources& sources) {
  ProcessStats stats = read_process_stats();
  text.family("tram_build_info", gauge, "Always 1; its label says which Tram this is.");
  text.sample({{"version", sources.version}}, uint64_t{1});
  text.family("process_start_time_seconds", gauge, "When the process started, since 1970.");
  int64_t started_milliseconds = sources.started_nanoseconds / 1'000'000;
  text.sample({}, static_cast<double>(started_milliseconds) / 1000);
  text.family("process_cpu_seconds_total", counter, "Processor time taken, user and system.");
  text.sample({}, stats.cpu_seconds);
  text.family("process_resident_memory_bytes", gauge, "Memory in use.");
  text.sample({}, stats.resident_bytes);
  text.family("process_open_fds", gauge, "Open files, connections included.");
  text.sample({}, stats.open_files);
  text.family("process_max_fds", gauge, "Files that may be open.");
  text.sample({}, stats.open_files_max);
}

// One number of every door, summed over the loops.
void write_door_sum(MetricsText& text, const MetricsSources& sources, std::string_view name,
                    MetricType type, std::string_view help, Counter DoorCounters::* member) {
  std::map<std::string_view, uint64_t> sums;
  for (const protocols::Door* door : sources.doors)
    sums[door->name()] += (door->counters().*member).value();
  text.family(name, type, help);
  for (auto& [door, sum] : sums) text.sample({{"door", door}}, sum);
}

void write_doors(MetricsText& text, const MetricsSources& sources) {
  struct Row {
    std::string_view name;
    MetricType type;
    std::string_view help;
    Counter DoorCounters::* member;
  };
  static constexpr Row rows[] = {
      {"tram_connections", gauge, "Open connections.", &DoorCounters::connections},
      {"tram_connections_opened_total", counter, "Connections ever opened.",
       &DoorCounters::connections_total},
      {"tram_messages_received_total", counter, "Messages published or put by clients.",
       &DoorCounters::messages_in},
      {"tram_received_bytes_total", counter, "Their payloads.", &DoorCounters::bytes_in},
      {"tram_messages_delivered_total", counter, "Messages delivered to clients.",
       &DoorCounters::messages_out},
      {"tram_delivered_bytes_total", counter, "Their payloads.", &DoorCounters::bytes_out},
      {"tram_refusals_total", counter, "Requests refused with an error.", &DoorCounters::errors},
      {"tram_slow_consumers_total", counter, "Connections closed because they did not read.",
       &DoorCounters::slow_consumers},
      {"tram_messages_dropped_total", counter, "Messages not delivered to a slow subscriber.",
       &DoorCounters::dropped},
  };
  for (const Row& row : rows)
    write_door_sum(text, sources, row.name, row.type, row.help, row.member);
  text.family("tram_connections_refused_total", counter,
              "Connections refused because connections-max was reached.");
  text.sample({}, sources.connections_refused->value());
}

// One kind of request, from all loops.
using CellsByRequest = std::map<std::pair<std::string_view, int>,
                                std::vector<const protocols::http::RequestCounters::Cell*>>;

void write_http(MetricsText& text, const MetricsSources& sources) {
  CellsByRequest cells;
  for (const protocols::http::HttpDoor* door : sources.http)
    door->requests().each([&](std::string_view route, int status, const auto& cell) {
      cells[{route, status}].push_back(&cell);
    });
  text.family("tram_requests_total", counter, "Requests over HTTP, by method and code.");
  for (auto& [request, of_loops] : cells) {
    uint64_t sum = 0;
    for (auto* cell : of_loops) sum += cell->count.value();
    text.sample(
        {{"door", "http"}, {"method", request.first}, {"code", std::to_string(request.second)}},
        sum);
  }
  text.family("tram_request_duration_seconds", histogram,
              "How long requests over HTTP took, by method and code.");
  for (auto& [request, of_loops] : cells) {
    std::vector<const base::LatencyHistogram*> latencies;
    for (auto* cell : of_loops) latencies.push_back(&cell->latency);
    text.histogram(
        {{"door", "http"}, {"method", request.first}, {"code", std::to_string(request.second)}},
        latencies);
  }
}

void write_async(MetricsText& text, const MetricsSources& sources) {
  using protocols::http::AsyncCounters;
  auto each =
      [&](std::initializer_list<std::pair<std::string_view, Counter AsyncCounters::*>> rows) {
        for (auto& [result, member] : rows) {
          uint64_t sum = 0;
          for (const protocols::http::HttpDoor* door : sources.http)
            sum += (door->async_counters().*member).value();
          text.sample({{"result", result}}, sum);
        }
      };
  text.family("tram_async_publishes_total", counter,
              "Messages given to /api/publish/async, by what became of them.");
  each({{"refused", &AsyncCounters::refused},
        {"published", &AsyncCounters::published},
        {"invalid_subject", &AsyncCounters::invalid_subject},
        {"no_subscriber", &AsyncCounters::no_subscriber},
        {"overflow", &AsyncCounters::overflow},
        {"failed", &AsyncCounters::failed}});
}

void write_beuss(MetricsText& text, const MetricsSources& sources) {
  uint64_t cuts = 0;
  uint64_t undeliverable = 0;
  for (const protocols::beuss::BeussDoor* door : sources.beuss) {
    cuts += door->cuts().value();
    undeliverable += door->undeliverable().value();
  }
  text.family("tram_beuss_messages_cut_total", counter,
              "beuss messages that were longer than beuss-max-message-bytes, and cut.");
  text.sample({}, cuts);
  text.family("tram_beuss_undeliverable_total", counter,
              "Times that a beuss GET met a message that beuss cannot carry.");
  text.sample({}, undeliverable);
}

void write_shards(MetricsText& text, const engines::embedded::EmbeddedEngine& engine) {
  using engines::embedded::ShardCounters;
  struct Row {
    std::string_view name;
    MetricType type;
    std::string_view help;
    Counter ShardCounters::* member;
  };
  static constexpr Row rows[] = {
      {"tram_queues", gauge, "Queues.", &ShardCounters::queues},
      {"tram_messages_ready", gauge, "Messages ready to be taken.", &ShardCounters::ready},
      {"tram_messages_leased", gauge, "Messages with their takers.", &ShardCounters::leased},
      {"tram_stored_bytes", gauge, "Bytes of messages stored.", &ShardCounters::stored_bytes},
      {"tram_waiting_takers", gauge, "Takers that wait for a message.",
       &ShardCounters::waiting_takers},
      {"tram_puts_total", counter, "Messages stored.", &ShardCounters::puts},
      {"tram_deliveries_total", counter, "Messages leased to takers.", &ShardCounters::deliveries},
      {"tram_redeliveries_total", counter, "Deliveries after the first of a message.",
       &ShardCounters::redeliveries},
      {"tram_acks_total", counter, "Messages done.", &ShardCounters::acks},
      {"tram_releases_total", counter, "Messages given back.", &ShardCounters::releases},
      {"tram_leases_expired_total", counter, "Leases whose time ran out.",
       &ShardCounters::leases_expired},
      {"tram_mailboxes", gauge, "Mailboxes.", &ShardCounters::mailboxes},
      {"tram_mailbox_messages", gauge, "Messages in mailboxes.", &ShardCounters::mailbox_messages},
      {"tram_mailbox_drops_total", counter, "Messages that a full mailbox did not take.",
       &ShardCounters::mailbox_drops},
  };
  for (const Row& row : rows) {
    text.family(row.name, row.type, row.help);
    for (size_t shard = 0; shard < engine.size(); ++shard)
      text.sample({{"shard", std::to_string(shard)}},
                  (engine.on_loop(shard).shard_counters().*row.member).value());
  }
}

void write_loops(MetricsText& text, const engines::embedded::EmbeddedEngine& engine) {
  using engines::embedded::LoopCounters;
  auto each = [&](std::string_view name, MetricType type, std::string_view help,
                  Counter LoopCounters::* member) {
    text.family(name, type, help);
    for (size_t loop = 0; loop < engine.size(); ++loop)
      text.sample({{"loop", std::to_string(loop)}},
                  (engine.on_loop(loop).counters().*member).value());
  };
  each("tram_subscriptions", gauge, "Live subscriptions.", &LoopCounters::subscriptions);
  each("tram_unrouted_messages_total", counter, "Published messages that nobody listened to.",
       &LoopCounters::unrouted);
  each("tram_parcels_total", counter, "Batches sent from one event loop to another.",
       &LoopCounters::parcels);
}

void write_queues(MetricsText& text, const std::vector<QueueInfo>& queues) {
  size_t shown = std::min(queues.size(), metrics_queues_max);
  auto each = [&](std::string_view name, MetricType type, std::string_view help, auto value) {
    text.family(name, type, help);
    for (size_t i = 0; i < shown; ++i) text.sample({{"queue", queues[i].name}}, value(queues[i]));
  };
  each("tram_queue_ready", gauge, "Messages of a queue ready to be taken.",
       [](const QueueInfo& queue) { return queue.ready; });
  each("tram_queue_leased", gauge, "Messages of a queue with their takers.",
       [](const QueueInfo& queue) { return queue.leased; });
  each("tram_queue_oldest_ready_age_seconds", gauge,
       "How long the oldest ready message of a queue has waited; 0 when none is ready.",
       [](const QueueInfo& queue) { return queue.oldest_ready_age.seconds(); });
  each("tram_queue_stored_bytes", gauge, "Bytes of messages in a queue.",
       [](const QueueInfo& queue) { return queue.bytes; });
  each("tram_queue_waiting_takers", gauge, "Takers that wait on a queue.",
       [](const QueueInfo& queue) { return queue.waiting_takers; });
  each("tram_queue_puts_total", counter, "Messages put into a queue.",
       [](const QueueInfo& queue) { return queue.puts; });
  each("tram_queue_deliveries_total", counter, "Messages of a queue leased to takers.",
       [](const QueueInfo& queue) { return queue.deliveries; });
  each("tram_queue_redeliveries_total", counter, "Of these, after the first of a message.",
       [](const QueueInfo& queue) { return queue.redeliveries; });
  each("tram_queue_acks_total", counter, "Messages of a queue that are done.",
       [](const QueueInfo& queue) { return queue.acks; });
  text.family("tram_queues_not_shown", gauge, "Queues beyond those that have lines here.");
  text.sample({}, uint64_t{queues.size() - shown});
}

// Asks once. Lives until the answer has come, and then until the end of that turn.
class Census final : public broker::Caller {
 public:
  Census(const MetricsSources& sources, net::Loop& loop, broker::Engine& engine,
         std::move_only_function<void(std::string)> done)
      : sources_(sources),
        loop_(loop),
        engine_(engine),
        caller_(engine.enrol(*this)),
        done_(std::move(done)) {}

  void ask() { engine_.submit(caller_, {}, broker::ListQueues{}); }

 private:
  void on_reply(broker::Ticket, broker::Reply& reply) override {
    std::vector<QueueInfo> queues;
    if (auto* list = std::get_if<broker::QueueList>(&reply)) queues = std::move(list->queues);
    done_(write_metrics_page(sources_, queues));
    loop_.post([this] {
      engine_.depart(caller_);
      delete this;
    });
  }

  const MetricsSources& sources_;
  net::Loop& loop_;
  broker::Engine& engine_;
  const broker::CallerId caller_;
  std::move_only_function<void(std::string)> done_;
};

}  // namespace

std::string write_metrics_page(const MetricsSources& sources,
                               const std::vector<QueueInfo>& queues) {
  MetricsText text;
  write_process(text, sources);
  write_doors(text, sources);
  if (!sources.http.empty()) {
    write_http(text, sources);
    write_async(text, sources);
  }
  if (!sources.beuss.empty()) write_beuss(text, sources);
  write_shards(text, *sources.engine);
  write_loops(text, *sources.engine);
  write_queues(text, queues);
  return text.take();
}

void gather_metrics(const MetricsSources& sources, net::Loop& loop, broker::Engine& engine,
                    std::move_only_function<void(std::string)> done) {
  (new Census(sources, loop, engine, std::move(done)))->ask();
}

}  // namespace tram::server
