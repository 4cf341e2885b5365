// The metrics door: /metrics and /healthz on a port of their own, without a password.
//
// One answer per connection, then it closes: whoever scrapes comes every few seconds at most,
// and a door that does so little can be opened to the monitoring network with an easy mind.
#pragma once

#include "tram/protocols/door.h"
#include "tram/server/metrics_page.h"

namespace tram::server {

class MetricsDoor final : public protocols::Door {
 public:
  MetricsDoor(net::Loop& loop, broker::Engine& engine, const MetricsSources& sources)
      : loop_(loop), engine_(engine), sources_(sources) {}

  std::string_view name() const override { return "metrics"; }
  std::unique_ptr<net::Session> open(net::Connection& connection) override;
  std::string_view refusal() const override;

 private:
  friend class MetricsSession;

  net::Loop& loop_;
  broker::Engine& engine_;
  const MetricsSources& sources_;
};

}  // namespace tram::server
