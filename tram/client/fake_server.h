// A scripted server for tests: plays one script per connection, in order, in a thread of its
// own, on a port that the kernel chose. What does not go as written is kept, and told by
// `mistakes`.
#pragma once

#include <arpa/inet.h>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tram::client {

// The server's end of one connection. All of it blocks.
class FakePeer {
 public:
  FakePeer(int descriptor, std::string& mistakes) : descriptor_(descriptor), mistakes_(mistakes) {}
  ~FakePeer() { ::close(descriptor_); }

  void say(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // Empty at the end of the stream.
  std::string line() {
    size_t end;
    while ((end = bytes_.find("\r\n")) == std::string::npos) {
      if (!fill()) return {};
    }
    std::string line = bytes_.substr(0, end);
    bytes_.erase(0, end + 2);
    return line;
  }
  std::string exactly(size_t count) {
    while (bytes_.size() < count) {
      if (!fill()) return {};
    }
    std::string part = bytes_.substr(0, count);
    bytes_.erase(0, count);
    return part;
  }
  void expect(std::string_view wanted) {
    std::string got = line();
    if (got != wanted) mistakes_.append("wanted '").append(wanted).append("', got '" + got + "'\n");
  }
  // INFO, CONNECT, PING, PONG. Returns what came between CONNECT and PING, joined by |.
  std::string greet(std::string_view info = R"({"headers":true,"max_payload":1048576})") {
    say("INFO " + std::string(info) + " \r\n");
    connect_ = line();
    std::string between;
    for (std::string next = line(); next != "PING" && !next.empty(); next = line()) {
      between += (between.empty() ? "" : "|") + next;
    }
    say("PONG\r\n");
    return between;
  }
  const std::string& connect() const { return connect_; }
  // Reads until the client closes.
  void until_closed() {
    while (fill()) bytes_.clear();
  }

 private:
  bool fill() {
    char block[65536];
    ssize_t count = ::recv(descriptor_, block, sizeof block, 0);
    if (count > 0) bytes_.append(block, static_cast<size_t>(count));
    return count > 0;
  }

  int descriptor_;
  std::string& mistakes_;
  std::string bytes_;
  std::string connect_;
};

class FakeServer {
 public:
  using Script = std::function<void(FakePeer&)>;

  explicit FakeServer(std::vector<Script> scripts) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&place), size) != 0 ||
        ::listen(listener_, 16) != 0) {
      mistakes_ = "cannot listen\n";
    }
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&place), &size);
    port_ = ntohs(place.sin_port);
    thread_ = std::thread([this, scripts = std::move(scripts)] {
      for (const Script& script : scripts) {
        int descriptor = ::accept(listener_, nullptr, nullptr);
        if (descriptor < 0) return;
        FakePeer peer(descriptor, mistakes_);
        script(peer);
      }
    });
  }
  ~FakeServer() { mistakes(); }

  std::string port() const { return std::to_string(port_); }
  std::string url() const { return "127.0.0.1:" + port(); }
  // Waits for the scripts to end; empty if all went as written.
  const std::string& mistakes() {
    if (thread_.joinable()) {
      ::shutdown(listener_, SHUT_RDWR);  // a script that nobody came for
      thread_.join();
      ::close(listener_);
    }
    return mistakes_;
  }

 private:
  int listener_ = -1;
  uint16_t port_ = 0;
  std::string mistakes_;
  std::thread thread_;
};

}  // namespace tram::client
