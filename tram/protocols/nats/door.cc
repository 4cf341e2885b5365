#include "tram/protocols/nats/door.h"

#include "tram/protocols/nats/session.h"
#include "tram/protocols/nats/words.h"

namespace tram::protocols::nats {

NatsDoor::NatsDoor(broker::Engine& engine, base::LogSink& log, const NatsOptions& options)
    : engine_(engine),
      log_(log),
      options_(options),
      opened_at_(engine.now()),
      client_id_next_(options.client_id_first) {}

std::unique_ptr<net::Session> NatsDoor::open(net::Connection& connection) {
  uint64_t client_id = client_id_next_;
  client_id_next_ += options_.client_id_step;
  return std::make_unique<NatsSession>(*this, connection, client_id);
}

std::string_view NatsDoor::refusal() const { return words::connections_exceeded; }

}  // namespace tram::protocols::nats
