#include "tram/client/socket.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tram::client {

using base::Clock;
using base::Errc;
using base::failure;
using base::Result;
using base::Time;

namespace {

// Rounded up, so that a wait does not spin through the last part of a millisecond.
int poll_timeout(const Clock& clock, Time deadline) {
  if (deadline == Time::never()) return -1;
  int64_t left = (deadline - clock.now()).nanoseconds();
  if (left <= 0) return 0;
  constexpr int64_t most = 3'600'000;
  int64_t milliseconds = left / 1'000'000 + (left % 1'000'000 != 0);
  return static_cast<int>(milliseconds < most ? milliseconds : most);
}

// 0 when the deadline passed.
Result<int> poll_until(pollfd* set, nfds_t count, const Clock& clock, Time deadline) {
  for (;;) {
    int ready = ::poll(set, count, poll_timeout(clock, deadline));
    if (ready > 0) return ready;
    if (ready < 0 && errno != EINTR) return failure(Errc::io_error, std::strerror(errno));
    if (clock.now() >= deadline) return 0;
  }
}

Result<int> connect_one(const addrinfo& place, const Clock& clock, Time deadline,
                        StopDescriptor stop) {
  int descriptor = ::socket(place.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return failure(Errc::unreachable, std::strerror(errno));
  auto refuse = [&](Errc code, const char* why) {
    ::close(descriptor);
    return failure(code, why);
  };
  if (::connect(descriptor, place.ai_addr, place.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return refuse(Errc::unreachable, std::strerror(errno));
    pollfd set[2] = {{descriptor, POLLOUT, 0}, {stop.descriptor, POLLIN, 0}};
    auto ready = poll_until(set, 2, clock, deadline);
    if (!ready) return refuse(ready.error().code, "");
    if (set[1].revents != 0) return refuse(Errc::cancelled, "");
    if (*ready == 0) return refuse(Errc::timed_out, "connecting");
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return refuse(Errc::unreachable, std::strerror(error));
  }
  int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  return descriptor;
}

}  // namespace

Result<Socket> Socket::connect(const std::string& host, const std::string& port, const Clock& clock,
                               Time deadline, StopDescriptor stop) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return failure(Errc::unreachable, host + ": " + ::gai_strerror(error));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> places(found, &::freeaddrinfo);

  Result<int> descriptor = failure(Errc::unreachable, host + " has no address");
  for (addrinfo* place = places.get(); place != nullptr; place = place->ai_next) {
    descriptor = connect_one(*place, clock, deadline, stop);
    if (descriptor) return Socket(*descriptor);
    if (descriptor.error().code == Errc::cancelled) break;
  }
  return std::unexpected(descriptor.error());
}

void Socket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Socket::end_sending() {
  if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_WR);
}

Result<size_t> Socket::send(base::BytesView bytes) {
  for (;;) {
    ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return failure(Errc::connection_lost, std::strerror(errno));
  }
}

Result<std::optional<size_t>> Socket::receive(char* bytes, size_t count) {
  for (;;) {
    ssize_t received = ::recv(descriptor_, bytes, count, 0);
    if (received > 0) return static_cast<size_t>(received);
    if (received == 0) return failure(Errc::connection_lost, "the other side closed it");
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) return failure(Errc::connection_lost, std::strerror(errno));
  }
}

Result<Readiness> Socket::wait(bool or_write, const Clock& clock, Time deadline,
                               StopDescriptor stop) const {
  short events = or_write ? POLLIN | POLLOUT : POLLIN;
  pollfd set[2] = {{descriptor_, events, 0}, {stop.descriptor, POLLIN, 0}};
  auto ready = poll_until(set, 2, clock, deadline);
  if (!ready) return std::unexpected(ready.error());
  if (set[1].revents != 0) return failure(Errc::cancelled);
  // An error or hang-up counts as readable: reading tells which.
  return Readiness{(set[0].revents & ~POLLOUT) != 0, (set[0].revents & POLLOUT) != 0};
}

Result<> pause_until(const Clock& clock, Time deadline, StopDescriptor stop) {
  pollfd set{stop.descriptor, POLLIN, 0};
  auto ready = poll_until(&set, 1, clock, deadline);
  if (!ready) return std::unexpected(ready.error());
  if (*ready != 0) return failure(Errc::cancelled);
  return {};
}

}  // namespace tram::client
