// The way in through one door: accepts connections on loop 0 and hands them to the loops in turn.
//
// All entrances share one limit on connections. Beyond it a connection is told so in its
// protocol's words, and closed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tram/net/listener.h"
#include "tram/protocols/door.h"
#include "tram/protocols/log_throttle.h"

namespace tram::server {

// How many connections there may be, and are. Belongs to loop 0, but for `refused`.
class ConnectionLimit {
 public:
  // `doors`: of all loops; they outlive this.
  ConnectionLimit(net::Loop& loop, base::LogSink& log, uint64_t connections_max,
                  std::vector<const protocols::Door*> doors);

  // One more is about to be. False, and logged, if there are as many as there may be.
  bool admit();
  const base::Counter& refused() const { return refused_; }

 private:
  uint64_t open() const;

  const uint64_t connections_max_;
  const std::vector<const protocols::Door*> doors_;
  uint64_t admitted_ = 0;
  base::Counter refused_;
  protocols::LogThrottle log_;
};

class Entrance {
 public:
  // Takes the port; connections wait in the kernel until `start`. The loop outlives this.
  // Errors: those of net::Listener::open.
  static base::Result<std::unique_ptr<Entrance>> open(net::Loop& loop, base::LogSink& log,
                                                      const std::string& host, uint16_t port);

  // Begins to accept. One door of this kind on each of `loops`, of which the first is the one
  // that this was opened on; all outlive this. On that loop, or before it runs.
  void start(const std::vector<net::Loop*>& loops, const std::vector<protocols::Door*>& doors,
             ConnectionLimit& limit, const net::ConnectionLimits& connection_limits);
  // On loop 0, or after it ran.
  void stop() { listener_->stop(); }

  uint16_t port() const { return listener_->port(); }
  // "127.0.0.1:4222" or "[::1]:4222". Before `stop`.
  std::string address() const;

 private:
  Entrance() = default;
  void on_accept(int socket, std::string peer_address);
  void refuse(int socket) const;

  std::vector<net::Loop*> loops_;
  std::vector<protocols::Door*> doors_;
  ConnectionLimit* limit_ = nullptr;
  net::ConnectionLimits connection_limits_;
  size_t next_ = 0;  // Whose turn it is.
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace tram::server
