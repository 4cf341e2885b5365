#include "tram/protocols/http/slow_reader.h"

#include "tram/net/connection.h"
#include "tram/protocols/http/door.h"

namespace tram::protocols::http {

std::optional<SlowPolicy> parse_slow_policy(std::string_view name) {
  if (name == "disconnect") return SlowPolicy::disconnect;
  if (name == "drop_newest") return SlowPolicy::drop_newest;
  return std::nullopt;
}

bool has_room(net::Connection& connection, HttpDoor& door, SlowPolicy policy) {
  if (connection.ending()) return false;
  if (!connection.outbox_is_full() || connection.make_room()) return true;
  door.count().dropped.add();
  door.report_slow(connection.peer_address());
  if (policy == SlowPolicy::disconnect) {
    door.count().slow_consumers.add();
    connection.abort(net::CloseReason::slow_consumer);
  }
  return false;
}

}  // namespace tram::protocols::http
