#include "tram/server/entrance.h"

#include <sys/socket.h>
#include <unistd.h>

namespace tram::server {

// --- ConnectionLimit

ConnectionLimit::ConnectionLimit(net::Loop& loop, base::LogSink& log, uint64_t connections_max,
                                 std::vector<const protocols::Door*> doors)
    : connections_max_(connections_max),
      doors_(std::move(doors)),
      log_(loop, log, base::LogLevel::warn,
           base::LogLine("connections_refused").with("connections_max", connections_max)) {}

bool ConnectionLimit::admit() {
  if (open() >= connections_max_) {
    refused_.add();
    log_.happened();
    return false;
  }
  ++admitted_;
  return true;
}

// What was admitted less what has ended, so that sockets on their way to a loop count as well.
uint64_t ConnectionLimit::open() const {
  uint64_t ended = 0;
  for (const protocols::Door* door : doors_) {
    // In this order: a connection that comes in between makes the number of ended ones too small
    // for a moment, never too large.
    uint64_t ever = door->counters().connections_total.value();
    uint64_t now = door->counters().connections.value();
    ended += ever > now ? ever - now : 0;
  }
  return admitted_ > ended ? admitted_ - ended : 0;
}

// --- Entrance

base::Result<std::unique_ptr<Entrance>> Entrance::open(net::Loop& loop, base::LogSink& log,
                                                       const std::string& host, uint16_t port) {
  std::unique_ptr<Entrance> entrance(new Entrance());
  auto listener = net::Listener::open(
      loop, log, host, port, [self = entrance.get()](int socket, std::string peer_address) {
        self->on_accept(socket, std::move(peer_address));
      });
  if (!listener) return std::unexpected(listener.error());
  entrance->listener_ = std::move(*listener);
  return entrance;
}

void Entrance::start(const std::vector<net::Loop*>& loops,
                     const std::vector<protocols::Door*>& doors, ConnectionLimit& limit,
                     const net::ConnectionLimits& connection_limits) {
  loops_ = loops;
  doors_ = doors;
  limit_ = &limit;
  connection_limits_ = connection_limits;
  listener_->start();
}

std::string Entrance::address() const {
  std::string host = listener_->address();
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return host + ":" + std::to_string(listener_->port());
}

void Entrance::on_accept(int socket, std::string peer_address) {
  if (!limit_->admit()) {
    refuse(socket);
    return;
  }
  size_t loop = next_;
  next_ = (next_ + 1) % loops_.size();
  auto adopt = [this, loop, socket, peer_address = std::move(peer_address)]() mutable {
    net::Connection::adopt(
        *loops_[loop], socket, std::move(peer_address), connection_limits_,
        [this, loop](net::Connection& connection) { return doors_[loop]->open(connection); });
  };
  if (loop == 0)
    adopt();
  else
    loops_[loop]->post(std::move(adopt));
}

void Entrance::refuse(int socket) const {
  std::string_view refusal = doors_.front()->refusal();
  (void)::send(socket, refusal.data(), refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(socket, SHUT_WR);
  // Bytes that nobody read would make the close a reset, which overtakes the refusal.
  char unread[4096];
  while (::recv(socket, unread, sizeof unread, MSG_DONTWAIT) > 0) {
  }
  ::close(socket);
}

}  // namespace tram::server
