// What a client says of itself in CONNECT.
#pragma once

#include <optional>
#include <string>

#include "tram/base/bytes.h"

namespace tram::protocols::nats {

// Before a CONNECT says otherwise.
struct ConnectOptions {
  bool verbose = true;
  bool pedantic = true;
  bool echo = true;
  bool headers = false;
  bool no_responders = false;
  uint32_t protocol = 0;
};

// Who it says it is. Needed once, so it is not kept.
struct Credentials {
  std::string user;
  std::string password;
  std::string token;
};

struct Connect {
  ConnectOptions options;
  Credentials credentials;
};

// `before` with what a CONNECT's JSON says: what it does not say stays, as in nats-server. Members
// that are not known are passed over. nullopt if it is not the JSON of a CONNECT.
std::optional<Connect> parse_connect(base::BytesView json, const ConnectOptions& before);

}  // namespace tram::protocols::nats
