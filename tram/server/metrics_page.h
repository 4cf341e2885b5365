// The page of /metrics: what every loop counted, what every shard holds, what the process takes.
//
// Reading it stops nobody: counters are read where they are. Only the list of queues is asked
// for, as any client would ask.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tram/engines/embedded/embedded_engine.h"
#include "tram/protocols/beuss/door.h"
#include "tram/protocols/door.h"
#include "tram/protocols/http/door.h"

namespace tram::server {

// Where the numbers come from: outlives the page.
struct MetricsSources {
  std::string version;
  int64_t started_nanoseconds = 0;  // Since 1970.
  const engines::embedded::EmbeddedEngine* engine = nullptr;
  std::vector<const protocols::Door*> doors;              // Of all loops.
  std::vector<const protocols::http::HttpDoor*> http;     // Of all loops.
  std::vector<const protocols::beuss::BeussDoor*> beuss;  // Of all loops.
  const base::Counter* connections_refused = nullptr;
};

// Queues that have lines of their own on the page; the rest are counted.
constexpr size_t metrics_queues_max = 1000;

// The whole page. `queues` in the order in which they shall be told.
std::string write_metrics_page(const MetricsSources& sources,
                               const std::vector<broker::QueueInfo>& queues);

// Asks `engine` for the queues, writes the page, and hands it to `done`: on the engine's loop,
// perhaps before this returns. Call it there.
void gather_metrics(const MetricsSources& sources, net::Loop& loop, broker::Engine& engine,
                    std::move_only_function<void(std::string)> done);

}  // namespace tram::server
