// The NATS door: every NATS client, unchanged. docs/protocols/nats.md says what it answers.
#pragma once

#include "tram/protocols/door.h"
#include "tram/protocols/nats/options.h"

namespace tram::protocols::nats {

class NatsDoor final : public Door {
 public:
  NatsDoor(broker::Engine& engine, base::LogSink& log, const NatsOptions& options);

  std::string_view name() const override { return "nats"; }
  std::unique_ptr<net::Session> open(net::Connection& connection) override;
  std::string_view refusal() const override;

  // For its sessions.
  broker::Engine& engine() { return engine_; }
  base::LogSink& log() { return log_; }
  const NatsOptions& options() const { return options_; }
  base::Duration uptime() const { return engine_.now() - opened_at_; }
  DoorCounters& counters_of_sessions() { return counters_; }

 private:
  broker::Engine& engine_;
  base::LogSink& log_;
  const NatsOptions options_;
  const base::Time opened_at_;
  uint64_t client_id_next_;
};

}  // namespace tram::protocols::nats
