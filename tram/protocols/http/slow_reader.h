// What happens to a stream whose reader does not keep up: chosen per subscription.
#pragma once

#include <optional>
#include <string_view>

#include "tram/base/bytes.h"

namespace tram::protocols::http {

class HttpDoor;

}  // namespace tram::protocols::http

namespace tram::net {
class Connection;
}

namespace tram::protocols::http {

enum class SlowPolicy {
  disconnect,   // The connection is closed: the reader knows that it has missed something.
  drop_newest,  // What does not fit is dropped and counted.
};
// nullopt for what is not a policy.
std::optional<SlowPolicy> parse_slow_policy(std::string_view name);

// Is there room for one more message? If not, the policy has been carried out and counted.
bool has_room(net::Connection& connection, HttpDoor& door, SlowPolicy policy);

}  // namespace tram::protocols::http
