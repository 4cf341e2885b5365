// The doors of all loops, and what those of one kind share.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tram/engines/embedded/embedded_engine.h"
#include "tram/protocols/access.h"
#include "tram/protocols/beuss/door.h"
#include "tram/protocols/http/async_workers.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/nats/door.h"
#include "tram/server/metrics_door.h"
#include "tram/server/options.h"

namespace tram::server {

class DoorSet final : public protocols::http::MetricsSource {
 public:
  // Everything given by reference outlives this. `metrics` is told of the doors that are made.
  DoorSet(const Options& options, std::vector<net::Loop*> loops,
          engines::embedded::EmbeddedEngine& engine, MetricsSources& metrics, base::LogSink& log);
  ~DoorSet();

  // One door of the kind on each loop. `port` is the one it listens on, for doors that tell.
  void make_nats(uint16_t port);
  void make_http();
  void make_beuss();
  void make_metrics();

  // Of one kind, by loop; empty if it was not made.
  std::vector<protocols::Door*> of(std::string_view name) const;
  std::vector<const protocols::Door*> all() const;

  // From now on the HTTP doors say that the program stops, and nothing is accepted for later;
  // what was, has been handed to the loops when this returns.
  void stop_accepting();

 private:
  std::string metrics_text(const std::vector<broker::QueueInfo>& queues) override {
    return write_metrics_page(metrics_, queues);
  }
  void add(std::unique_ptr<protocols::Door> door);

  const Options& options_;
  const std::vector<net::Loop*> loops_;
  engines::embedded::EmbeddedEngine& engine_;
  MetricsSources& metrics_;
  base::LogSink& log_;
  const protocols::Access access_;
  protocols::http::AsyncWorkers publishers_;
  protocols::http::HttpShared http_shared_;
  std::vector<std::unique_ptr<protocols::Door>> doors_;
};

}  // namespace tram::server
