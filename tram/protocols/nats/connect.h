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
  std::string user;
  std::string password;
  std::string token;
};

// nullopt for what is not the JSON of a CONNECT. Members that are not known are passed over.
std::optional<ConnectOptions> parse_connect(base::BytesView json);

}  // namespace tram::protocols::nats
