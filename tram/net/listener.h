// Accepts connections on one address: TCP, or a Unix socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tram/base/log_line.h"
#include "tram/base/result.h"
#include "tram/net/loop.h"

namespace tram::net {

class Listener {
 public:
  // Called for each connection with its socket, which the callee then owns, and the peer's
  // address.
  using OnAccept = std::move_only_function<void(int socket, std::string peer_address)>;

  // Listens on `host` (a name or an address) and `port` (0: any free one). With several
  // addresses for a name, the first that works.
  // Errors: invalid_argument (host unknown), address_in_use, permission_denied, io_error.
  static base::Result<std::unique_ptr<Listener>> open(Loop& loop, base::LogSink& log,
                                                      const std::string& host, uint16_t port,
                                                      OnAccept on_accept);
  // The same on a Unix socket. A socket file that nobody listens on is replaced; removing it in the
  // end is the caller's.
  static base::Result<std::unique_ptr<Listener>> open_unix(Loop& loop, base::LogSink& log,
                                                           const std::string& path,
                                                           OnAccept on_accept);
  ~Listener();

  // Begins to accept. Out of file descriptors, it waits a moment and tries again, and says so in
  // the log once per interval: connections wait in the kernel meanwhile.
  void start();
  // Refuses from now on.
  void stop();

  uint16_t port() const;        // 0 of a Unix socket.
  std::string address() const;  // "127.0.0.1"; "" of a Unix socket.
  std::string text() const;     // "127.0.0.1:7000", "[::1]:7000", "unix:/path".

 private:
  struct Io;
  explicit Listener(std::unique_ptr<Io> io);
  std::unique_ptr<Io> io_;
};

}  // namespace tram::net
