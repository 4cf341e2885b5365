// For tests: stands between two programs, hands on what they say, torn into pieces of any size, and
// cuts connections at random: after so many bytes, some with a reset, some politely.
#pragma once

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tram/base/assert.h"
#include "tram/base/random.h"

namespace tram::net::testing {

// Has a thread of its own. The random choices are its seed's; which bytes they meet is not.
class Cutter {
 public:
  // `target` is "127.0.0.1:port". A connection is cut after 1 to `bytes_max` bytes.
  Cutter(const std::string& target, uint64_t seed, uint64_t bytes_max)
      : target_(local(static_cast<uint16_t>(std::stoi(target.substr(target.rfind(':') + 1))))),
        random_(seed),
        bytes_max_(bytes_max),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in in = local(0);
    socklen_t size = sizeof in;
    auto* address = reinterpret_cast<sockaddr*>(&in);
    TRAM_ASSERT(listener_ >= 0 && ::bind(listener_, address, size) == 0);
    TRAM_ASSERT(::listen(listener_, 64) == 0 && ::getsockname(listener_, address, &size) == 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(in.sin_port));
    thread_ = std::thread([this] { run(); });
  }
  ~Cutter() {
    stopped_ = true;
    thread_.join();
    ::close(listener_);
  }
  const std::string& address() const { return address_; }
  uint64_t cuts() const { return cuts_; }

 private:
  struct Direction {
    int from = -1;
    int to = -1;
    std::string held;  // Read, and not yet written.
  };
  struct Pair {
    std::array<int, 2> sockets;
    std::array<Direction, 2> ways;
    uint64_t left;  // Bytes until it is cut.
  };

  static sockaddr_in local(uint16_t port) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in.sin_port = htons(port);
    return in;
  }

  void run() {
    while (!stopped_) {
      std::vector<pollfd> polled = {{.fd = listener_, .events = POLLIN, .revents = 0}};
      for (const auto& pair : pairs_)
        for (const Direction& way : pair->ways)
          // Reads when it holds nothing, else waits until it can write.
          polled.push_back({.fd = way.held.empty() ? way.from : way.to,
                            .events = static_cast<short>(way.held.empty() ? POLLIN : POLLOUT),
                            .revents = 0});
      ::poll(polled.data(), polled.size(), 10);
      for (size_t i = pairs_.size(); i-- > 0;) {
        bool goes_on = true;
        for (size_t way = 0; way < 2 && goes_on; ++way)
          if (polled[1 + 2 * i + way].revents != 0)
            goes_on = hand_on(*pairs_[i], pairs_[i]->ways[way]);
        if (!goes_on) pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (polled[0].revents != 0) accept();
    }
    while (!pairs_.empty()) {
      end(*pairs_.back(), false);
      pairs_.pop_back();
    }
  }

  void accept() {
    int in = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (in < 0) return;
    int out = ::socket(AF_INET, SOCK_STREAM, 0);
    TRAM_ASSERT(out >= 0);
    // On one machine this takes no time.
    if (::connect(out, reinterpret_cast<const sockaddr*>(&target_), sizeof target_) != 0) {
      ::close(in);
      ::close(out);
      return;
    }
    int yes = 1;
    for (int socket : {in, out}) ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto pair = std::make_unique<Pair>();
    pair->sockets = {in, out};
    pair->ways[0] = {.from = in, .to = out, .held = {}};
    pair->ways[1] = {.from = out, .to = in, .held = {}};
    pair->left = 1 + random_.below(bytes_max_);
    pairs_.push_back(std::move(pair));
  }

  // False once the pair is cut or has ended.
  bool hand_on(Pair& pair, Direction& way) {
    if (way.held.empty()) {
      way.held.resize(1 + random_.below(40'000));
      ssize_t size = ::recv(way.from, way.held.data(), way.held.size(), MSG_DONTWAIT);
      if (size <= 0) {
        end(pair, false);
        return false;
      }
      way.held.resize(static_cast<size_t>(size));
    }
    size_t most = std::min<uint64_t>(way.held.size(), pair.left);
    ssize_t size = ::send(way.to, way.held.data(), most, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0) {
      if (errno == EAGAIN) return true;
      end(pair, false);
      return false;
    }
    way.held.erase(0, static_cast<size_t>(size));
    pair.left -= static_cast<uint64_t>(size);
    if (pair.left > 0) return true;
    ++cuts_;
    end(pair, random_.one_in(2));
    return false;
  }

  void end(Pair& pair, bool with_reset) {
    for (int socket : pair.sockets) {
      linger now{.l_onoff = 1, .l_linger = 0};
      if (with_reset) ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      ::close(socket);
    }
  }

  sockaddr_in target_;
  base::Random random_;
  uint64_t bytes_max_;
  int listener_;
  std::string address_;
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::atomic<uint64_t> cuts_ = 0;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace tram::net::testing
