// Where a socket is, as people write it: "host:port", "[::1]:port" or "unix:/path".
#pragma once

#include <cstdint>
#include <string>

#include "tram/base/bytes.h"
#include "tram/base/result.h"

struct sockaddr;

namespace tram::net {

struct SocketAddress {
  std::string host;  // A name or an address, without brackets; of a Unix socket empty.
  uint16_t port = 0;
  std::string path;  // Of a Unix socket; otherwise empty.

  bool is_unix() const { return !path.empty(); }
  std::string text() const;
  bool operator==(const SocketAddress&) const = default;

  // Errors: invalid_argument, saying what is wrong with it. Port 0 is allowed: for listening.
  static base::Result<SocketAddress> parse(base::BytesView text);
};

// "127.0.0.1:40000", "[::1]:40000", "unix:/path"; a Unix socket without a name is "unix:".
std::string text_of(const sockaddr& address, size_t size);
// This end of a connected or listening socket.
std::string local_address_of(int socket);

}  // namespace tram::net
