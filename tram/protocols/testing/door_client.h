// What the worlds of all doors share: turns of a loop that wait for nothing, and a client at the
// other end of a socket pair, for tests that tell a conversation without a port.
#pragma once

#include <cerrno>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "tram/base/assert.h"
#include "tram/net/connection.h"
#include "tram/net/loop.h"

namespace tram::protocols::testing {

// Turns until everything at hand is done.
inline void settle(net::Loop& loop) {
  for (int i = 0; i < 4; ++i) {
    loop.stop();
    loop.run();
  }
}

// Connections need their door: a world ends them before it.
inline void abort_connections(net::Loop& loop) {
  while (!loop.connections().empty()) {
    loop.connections().front().abort(net::CloseReason::stopping);
    settle(loop);
  }
}

class DoorClient {
 public:
  // `open` makes the door's session of a connection.
  template <class Open>
  DoorClient(net::Loop& loop, std::string peer, const net::ConnectionLimits& limits, Open open)
      : loop_(loop) {
    int both[2];
    TRAM_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both) == 0);
    socket_ = both[0];
    net::Connection::adopt(loop, both[1], std::move(peer), limits,
                           [&](net::Connection& connection) {
                             connection_ = &connection;
                             return open(connection);
                           });
  }
  DoorClient(const DoorClient&) = delete;
  DoorClient& operator=(const DoorClient&) = delete;
  ~DoorClient() { hang_up(); }

  // Sends, and returns all that comes back without time passing.
  std::string say(std::string_view bytes) {
    std::string heard;
    for (int idle = 0; !bytes.empty() && idle < 100; ++idle) {
      ssize_t size = push(bytes);
      if (size > 0) {
        bytes.remove_prefix(static_cast<size_t>(size));
        idle = 0;
      }
      if (size < 0 && errno != EAGAIN) break;  // The door has closed.
      heard += hear();
    }
    return heard + hear();
  }
  // Sends what fits without waiting, and reads nothing. How much that was, or not positive.
  ssize_t push(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  std::string hear() {
    std::string heard;
    for (int quiet = 0; quiet < 2; ++quiet) {
      settle(loop_);
      char buffer[65536];
      ssize_t size = 0;
      while ((size = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        heard.append(buffer, static_cast<size_t>(size));
        quiet = -1;
      }
      closed_ = closed_ || size == 0;
    }
    return heard;
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  void hang_up() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    settle(loop_);
  }
  bool closed() {
    hear();
    return closed_;
  }
  // The door's end, which must be there. To stop it is what the program's stop does.
  net::Connection& connection() { return *connection_; }
  void stop() { connection_->session().on_stop(); }

 private:
  net::Loop& loop_;
  net::Connection* connection_ = nullptr;
  int socket_ = -1;
  bool closed_ = false;
};

}  // namespace tram::protocols::testing
