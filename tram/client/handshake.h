// The words exchanged when a connection begins, and what -ERR means: all pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tram/base/bytes.h"
#include "tram/base/result.h"
#include "tram/client/address.h"

namespace tram::client {

// What the server says of itself in INFO.
struct ServerInfo {
  std::string name;
  std::string version;
  size_t payload_bytes_max = 1024 * 1024;
  bool headers = false;
  bool tls_required = false;
  bool lame_duck = false;  // it is about to stop: connect elsewhere
  uint64_t client_id = 0;
  std::vector<std::string> connect_urls;
};

// Errors: protocol_error.
base::Result<ServerInfo> parse_info(base::BytesView json);

struct Introduction {
  std::string name;
  bool echo = true;
  bool headers = true;
};

// "CONNECT {...}", without the line break.
std::string connect_line(const Introduction& introduction, const Address& address);

// -ERR's text as an error of ours: the code to act on, the server's own words as detail.
base::Error error_from_server(base::BytesView text);

}  // namespace tram::client
