// The floor: plain sockets that block, a call for each message, a thread for each connection. There
// is nothing on the wire but the messages, since all are of one size.
#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <fmt/format.h>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "bench/peer/round.h"

namespace bench {

namespace {

constexpr size_t read_size = size_t{64} << 10;

sockaddr_in address_of(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// `text` is "127.0.0.1:port".
int dial(const std::string& text) {
  auto port = static_cast<uint16_t>(std::strtoul(text.c_str() + text.rfind(':') + 1, nullptr, 10));
  sockaddr_in address = address_of(port);
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  if (socket < 0 || ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    give_up("cannot connect");
  int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

void write_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t size = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) give_up("cannot write");
    bytes.remove_prefix(static_cast<size_t>(size));
  }
}

// Cuts one connection's stream into messages.
class Cutter {
 public:
  Cutter(Tally& tally, size_t size) : tally_(tally), size_(size) {}
  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      size_t taken = std::min(bytes.size(), at_ < sizeof head_ ? sizeof head_ - at_ : size_ - at_);
      if (at_ < sizeof head_) std::memcpy(head_ + at_, bytes.data(), taken);
      bytes.remove_prefix(taken);
      at_ += taken;
      if (at_ < size_) continue;
      tally_.add(head_, size_);
      at_ = 0;
    }
  }

 private:
  Tally& tally_;
  size_t size_;
  size_t at_ = 0;  // Bytes of this message that came.
  char head_[8] = {};
};

void read_connection(const Round& round, int socket, Tally& tally, std::mutex& mutex) {
  Cutter cutter(tally, round.size);
  std::string buffer(read_size, '\0');
  for (ssize_t size = 0; (size = ::recv(socket, buffer.data(), buffer.size(), 0)) > 0;) {
    std::string_view bytes(buffer.data(), static_cast<size_t>(size));
    if (round.kind == "ask") write_all(socket, bytes);  // Questions are asked one at a time.
    std::lock_guard lock(mutex);
    cutter.add(bytes);
  }
  ::close(socket);
}

void receive(const Round& round) {
  sockaddr_in address = address_of(0);
  socklen_t length = sizeof address;
  auto* bound = reinterpret_cast<sockaddr*>(&address);
  int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || ::bind(listener, bound, length) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
      ::getsockname(listener, bound, &length) != 0)
    give_up("cannot listen");
  say(fmt::format("127.0.0.1:{}", ntohs(address.sin_port)));
  Tally tally(round);
  std::mutex mutex;
  std::thread([&] {
    for (int socket = 0; (socket = ::accept(listener, nullptr, nullptr)) >= 0;) {
      int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      std::thread([&, socket] { read_connection(round, socket, tally, mutex); }).detach();
    }
  }).detach();
  wait_for_run();
  std::_Exit(0);  // Its threads wait for ever.
}

// A connection for each sender, kept from the warming up.
void stream(const Round& round) {
  std::vector<int> free;
  std::mutex mutex;
  for (unsigned i = 0; i < round.senders; ++i) free.push_back(dial(round.address));
  send_round(round, [&](uint64_t first, uint64_t last) {
    std::unique_lock lock(mutex);
    int socket = free.back();
    free.pop_back();
    lock.unlock();
    std::string message = round.message();
    for (uint64_t i = first; i < last; ++i) {
      write_number(message, i);
      write_all(socket, message);
    }
    lock.lock();
    free.push_back(socket);
  });
}

void ask(const Round& round) {
  int socket = dial(round.address);
  std::vector<uint64_t> latencies;
  auto ask_all = [&](uint64_t first, uint64_t last) {
    std::string message = round.message();
    std::string answer(round.size, '\0');
    for (uint64_t i = first; i < last; ++i) {
      uint64_t asked = now_ns();
      write_number(message, i);
      write_all(socket, message);
      if (::recv(socket, answer.data(), answer.size(), MSG_WAITALL) !=
              static_cast<ssize_t>(answer.size()) ||
          answer != message)
        give_up("not what was asked came back");
      latencies.push_back(now_ns() - asked);
    }
  };
  send_round(round, ask_all, &latencies);
}

void connect(const Round& round) {
  send_round(round, [&](uint64_t first, uint64_t last) {
    std::string message = round.message();
    for (uint64_t i = first; i < last; ++i) {
      write_number(message, i);
      int socket = dial(round.address);
      write_all(socket, message);
      ::close(socket);
    }
  });
}

}  // namespace

void run_sockets(const Round& round) {
  if (round.receives) return receive(round);
  if (round.kind == "stream") return stream(round);
  if (round.kind == "connect") return connect(round);
  ask(round);
}

}  // namespace bench
