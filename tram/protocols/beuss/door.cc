#include "tram/protocols/beuss/door.h"

#include "tram/protocols/beuss/session.h"

namespace tram::protocols::beuss {

BeussDoor::BeussDoor(net::Loop& loop, broker::Engine& engine, const BeussOptions& options,
                     base::LogSink& log)
    : loop_(loop),
      engine_(engine),
      options_(options),
      cut_log_(loop, log, base::LogLevel::warn,
               base::LogLine("message_cut")
                   .with("door", "beuss")
                   .with("limit_bytes", options.message_bytes_max)),
      undeliverable_log_(loop, log, base::LogLevel::warn,
                         base::LogLine("message_undeliverable")
                             .with("door", "beuss")
                             .with("reason", "empty, or longer than the door's limit")
                             .with("limit_bytes", options.message_bytes_max)) {}

std::unique_ptr<net::Session> BeussDoor::open(net::Connection& connection) {
  return std::make_unique<BeussSession>(*this, connection);
}

}  // namespace tram::protocols::beuss
