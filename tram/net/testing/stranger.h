// For tests: plain sockets on 127.0.0.1, as a program has them that knows nothing of ours, so that
// a test can say the bytes it likes, when it likes.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

namespace tram::net::testing {

// `address` is "127.0.0.1:port"; only the port is looked at.
inline sockaddr_in loopback(std::string_view address) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  in.sin_port =
      htons(static_cast<uint16_t>(std::stoi(std::string(address.substr(address.rfind(':') + 1)))));
  return in;
}

// A connection. Its calls wait, and give up after ten seconds; what cannot be done fails the test.
class Stranger {
 public:
  // Connects.
  explicit Stranger(std::string_view address) : Stranger(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in in = loopback(address);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&in), sizeof in) == 0);
  }
  // Takes over a connected socket.
  explicit Stranger(int socket) : socket_(socket) {
    timeval ten{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof ten);
  }
  Stranger(Stranger&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  ~Stranger() {
    if (socket_ >= 0) ::close(socket_);
  }

  void say(std::string_view bytes) {
    REQUIRE(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // So many bytes; fewer only at the end.
  std::string hear(size_t size) {
    std::string heard(size, '\0');
    size_t at = 0;
    while (at < size) {
      ssize_t more = ::recv(socket_, heard.data() + at, size - at, 0);
      if (more <= 0) break;
      at += static_cast<size_t>(more);
    }
    heard.resize(at);
    return heard;
  }
  bool hears_end() { return hear(1).empty(); }
  // Ends it with a reset.
  void reset() {
    linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(socket_, -1));
  }

 private:
  int socket_;
};

// A socket that listens. Until somebody accepts, the kernel answers for it, and takes some bytes.
class Doorway {
 public:
  explicit Doorway(int backlog = 16) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in in = loopback("127.0.0.1:0");
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&in), sizeof in) == 0);
    REQUIRE(::listen(socket_, backlog) == 0);
    socklen_t size = sizeof in;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&in), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(in.sin_port));
  }
  Doorway(const Doorway&) = delete;
  ~Doorway() { ::close(socket_); }
  const std::string& address() const { return address_; }
  // Waits for the next who connects.
  Stranger accept() { return Stranger(::accept(socket_, nullptr, nullptr)); }

 private:
  int socket_;
  std::string address_;
};

// An address that nobody listens at.
inline std::string nowhere() { return Doorway().address(); }

}  // namespace tram::net::testing
