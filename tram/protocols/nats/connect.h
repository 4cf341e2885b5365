// What a client says of itself in CONNECT.
#pragma once

#include <optional>
#include <string>

#include "tram/base/bytes.h"

namespace tram::protocols::nats {

struct ConnectOptions {
  bool verbose = true;  // As long as there was no CONNECT.
  bool pedantic = false;
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

// nullopt for what is not the JSON of a CONNECT. Members that are not known are passed over.
std::optional<Connect> parse_connect(base::BytesView json);

}  // namespace tram::protocols::nats
