#include "tram/net/peer.h"

#include <arpa/inet.h>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <future>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

#include "tram/base/system_clock.h"
#include "tram/net/loop.h"

using namespace std::chrono_literals;
using namespace tram::net;
using tram::base::Errc;
using tram::base::Result;

namespace {

const tram::base::SystemClock clock_of_tests;  // Has no state.

std::unique_ptr<Peer> open(PeerOptions options = {}) {
  auto peer = Peer::open(std::move(options), clock_of_tests);
  REQUIRE_MESSAGE(peer, peer.error().text());
  return std::move(*peer);
}

std::unique_ptr<Peer> listening(PeerOptions options = {}) {
  if (options.listen.empty()) options.listen = {"127.0.0.1:0"};
  return open(std::move(options));
}

Datagram next(Peer& peer) {
  auto datagram = peer.receive(10s);
  REQUIRE_MESSAGE(datagram, datagram.error().text());
  return *datagram;
}

std::string next_text(Peer& peer) {
  Datagram datagram = next(peer);
  REQUIRE_MESSAGE(!datagram.error, datagram.error->text());
  return std::string(datagram.data);
}

Errc next_error(Peer& peer) {
  Datagram datagram = next(peer);
  REQUIRE(datagram.error);
  return datagram.error->code;
}

// A plain socket, as a stranger has it. Gives up after ten seconds.
class Stranger {
 public:
  explicit Stranger(const std::string& address) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    patient();
    sockaddr_in in = in_of(address);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&in), sizeof in) == 0);
  }
  explicit Stranger(int socket) : socket_(socket) { patient(); }
  Stranger(Stranger&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  ~Stranger() {
    if (socket_ >= 0) ::close(socket_);
  }
  void say(BytesView bytes) {
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

  static sockaddr_in in_of(const std::string& address) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    return in;
  }

 private:
  void patient() {
    timeval ten{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof ten);
  }
  int socket_;
};

// A plain socket that listens.
class Doorway {
 public:
  explicit Doorway(int backlog = 16) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in in = Stranger::in_of("127.0.0.1:0");
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&in), sizeof in) == 0);
    REQUIRE(::listen(socket_, backlog) == 0);
    socklen_t size = sizeof in;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&in), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(in.sin_port));
  }
  ~Doorway() { ::close(socket_); }
  const std::string& address() const { return address_; }
  Stranger accept() { return Stranger(::accept(socket_, nullptr, nullptr)); }

 private:
  int socket_;
  std::string address_;
};

// An address that nobody listens at.
std::string nowhere() { return Doorway().address(); }

// How many this process may have, once it has asked for all it can get.
size_t descriptors() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

}  // namespace

TEST_CASE("a message arrives with where it comes from and where it came to") {
  auto a = listening();
  auto b = open();
  REQUIRE(b->send(a->address(), "hello world"));
  Datagram datagram = next(*a);
  CHECK(datagram.data == "hello world");
  CHECK(datagram.to() == a->address());
  CHECK(datagram.from().starts_with("127.0.0.1:"));
  CHECK_FALSE(datagram.error);
}

TEST_CASE("who received a message can answer, though nobody listens at the other side") {
  auto a = listening();
  auto b = open();
  REQUIRE(b->send(a->address(), "question"));
  REQUIRE(a->send(next(*a).from(), "answer"));
  Datagram answer = next(*b);
  CHECK(answer.data == "answer");
  CHECK(answer.from() == a->address());
  CHECK(a->stats().dialled == 0);
}

TEST_CASE("IPv6 and Unix sockets carry messages both ways; names are looked up") {
  std::string path = "/tmp/tram-peer-test-" + std::to_string(::getpid()) + ".sock";
  auto a = listening({.listen = {"[::1]:0", "unix:" + path, "localhost:0"}});
  REQUIRE(a->addresses().size() == 3);
  CHECK(a->addresses()[1] == "unix:" + path);
  auto b = open();
  for (std::string address : a->addresses()) {
    CAPTURE(address);
    if (address.starts_with("127.0.0.1")) address = "localhost" + address.substr(9);
    REQUIRE(b->send(address, "to " + address));
    Datagram datagram = next(*a);
    CHECK(datagram.data == "to " + address);
    REQUIRE(a->send(datagram.from(), "back"));
    Datagram back = next(*b);
    CHECK(back.data == "back");
    CHECK(back.from() == address);
  }
  a->close();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a Unix socket that was left behind is taken over; one in use is not") {
  std::string path = "/tmp/tram-peer-left-" + std::to_string(::getpid()) + ".sock";
  {
    // What a program that was killed leaves.
    int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr addresses[8] = {};
    addresses[0].sa_family = AF_UNIX;
    std::strcpy(reinterpret_cast<char*>(addresses) + 2, path.c_str());
    REQUIRE(::bind(left, addresses, static_cast<socklen_t>(2 + path.size() + 1)) == 0);
    ::close(left);
  }
  auto first = listening({.listen = {"unix:" + path}});
  auto second = Peer::open({.listen = {"unix:" + path}}, clock_of_tests);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::address_in_use);
}

TEST_CASE("messages of every size arrive whole and in order") {
  for (Confirm confirm : {Confirm::handed, Confirm::received}) {
    auto a = listening();
    auto b = open({.confirm = confirm});
    std::vector<size_t> sizes = {0,    1,    31,    32,    255,   256,    4095,
                                 4096, 4097, 65535, 65536, 70000, 300000, 5 << 20};
    for (size_t size : sizes) {
      std::string body(size, '\0');
      for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 31 + size);
      REQUIRE(b->send(a->address(), body));
      REQUIRE(b->send(a->address(), "after " + std::to_string(size)));
      CHECK(next_text(*a) == body);
      CHECK(next_text(*a) == "after " + std::to_string(size));
    }
  }
}

TEST_CASE(
    "a hundred thousand messages arrive once and in order, by callback and through the inbox") {
  constexpr int count = 100'000;
  for (bool by_callback : {true, false}) {
    for (Confirm confirm : {Confirm::handed, Confirm::received}) {
      int expected = 0;
      bool in_order = true;
      std::promise<void> all;
      auto check = [&](const Datagram& datagram) {
        in_order &= datagram.data == std::to_string(expected);
        if (++expected == count) all.set_value();
      };
      PeerOptions options;
      if (by_callback) options.on_datagram = check;
      auto a = listening(std::move(options));
      auto b = open({.confirm = confirm, .waiting_max = 100'000});
      std::thread sender([&] {
        for (int i = 0; i < count; ++i) REQUIRE(b->send(a->address(), std::to_string(i)));
      });
      if (by_callback) {
        CHECK(all.get_future().wait_for(60s) == std::future_status::ready);
      } else {
        std::vector<Datagram> datagrams;
        while (expected < count) {
          REQUIRE(a->receive_all(datagrams, 10s));
          for (const Datagram& one : datagrams) check(one);
        }
      }
      sender.join();
      CHECK(in_order);
      b->close();
      CHECK(b->stats().messages_sent == count);
      CHECK(b->stats().messages_lost == 0);
    }
  }
}

TEST_CASE("each sender is told once; send_and_wait waits for it") {
  auto a = listening();
  for (Confirm confirm : {Confirm::handed, Confirm::received}) {
    auto b = open({.confirm = confirm});
    CHECK(b->send_and_wait(a->address(), "waited for"));
    CHECK(next_text(*a) == "waited for");
    std::atomic<int> told = 0;
    for (int i = 0; i < 1000; ++i)
      REQUIRE(b->send(a->address(), "x", [&](Result<> result) { told += result ? 1 : 1000; }));
    b->close();
    CHECK(told == 1000);
    for (int i = 0; i < 1000; ++i) CHECK(next_text(*a) == "x");
  }
}

TEST_CASE("what is confirmed as received has come, also where the inbox is not looked at") {
  auto a = listening();
  auto b = open({.confirm = Confirm::received});
  REQUIRE(b->send_and_wait(a->address(), "is there"));
  auto now = a->receive(0s);
  REQUIRE(now);
  CHECK(now->data == "is there");
}

TEST_CASE("nobody at the address: told unreachable at the first failure, or after waiting") {
  for (tram::base::Duration wait : {tram::base::Duration(0s), tram::base::Duration(50ms)}) {
    auto b = open({.unreachable_max = wait, .backoff = {.first = 1ms, .most = 5ms}});
    auto sent = b->send_and_wait(nowhere(), "x");
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == Errc::unreachable);
    if (wait > tram::base::Duration()) CHECK(b->stats().dials_failed > 1);
  }
}

TEST_CASE("messages wait for an address that comes up late") {
  std::string address = nowhere();
  auto b = open({.unreachable_max = 30s, .backoff = {.first = 1ms, .most = 5ms}});
  REQUIRE(b->send(address, "first"));
  REQUIRE(b->send(address, "second"));
  while (b->stats().dials_failed < 3) std::this_thread::yield();
  auto a = listening({.listen = {address}});
  CHECK(next_text(*a) == "first");
  CHECK(next_text(*a) == "second");
}

TEST_CASE("losses that nobody waits for are counted and told") {
  std::promise<std::pair<uint64_t, Errc>> lost;
  auto b =
      open({.on_loss = [&](const Loss& loss) { lost.set_value({loss.messages, loss.error.code}); },
            .close_max = 0s});
  Doorway doorway;
  // What nobody accepts is handed to the kernel all the same; so: nobody there.
  std::string address = nowhere();
  for (int i = 0; i < 10; ++i) REQUIRE(b->send(address, "x"));
  b->close();
  CHECK(lost.get_future().get() == std::pair<uint64_t, Errc>(10, Errc::cancelled));
  CHECK(b->stats().messages_lost == 10);
}

TEST_CASE("what an address must be is said") {
  auto b = open();
  for (const char* wrong : {"", "nothing", "host:", ":80", "host:port", "host:70000", "::1:80",
                            "unix:", "a host:80", "127.0.0.1:0"}) {
    CAPTURE(wrong);
    auto sent = b->try_send(wrong, "x");
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == Errc::invalid_argument);
    CHECK_FALSE(Peer::open({.listen = {std::string(wrong) == "127.0.0.1:0" ? "x" : wrong}},
                           clock_of_tests));
  }
  CHECK(b->stats().addresses == 0);
}

TEST_CASE(
    "a message over the limit is refused by the sender, and ends the connection of who sends it") {
  auto a = listening({.message_max = 100});
  auto strict = open({.message_max = 100});
  CHECK(strict->try_send(a->address(), std::string(101, 'x')).error().code ==
        Errc::message_too_large);
  auto lax = open();
  REQUIRE(lax->send(a->address(), std::string(100, 'x')));
  CHECK(next_text(*a) == std::string(100, 'x'));
  REQUIRE(lax->send(a->address(), std::string(101, 'x')));
  CHECK(next_error(*a) == Errc::message_too_large);
}

TEST_CASE("garbage closes its own connection, with an error that names the byte, and no other") {
  auto a = listening();
  Stranger good(a->address());
  good.say("\xA4good");
  CHECK(next_text(*a) == "good");
  Stranger bad(a->address());
  bad.say("\xA2ok\x01");
  CHECK(next_text(*a) == "ok");
  Datagram datagram = next(*a);
  REQUIRE(datagram.error);
  CHECK(datagram.error->code == Errc::protocol_error);
  CHECK(datagram.error->detail == "no message begins with the byte 0x01");
  CHECK(bad.hears_end());
  good.say("\xA6still");
  good.say("!");
  CHECK(next_text(*a) == "still!");
  CHECK(a->stats().faults == 1);
}

TEST_CASE("a message torn into single bytes is one message") {
  auto a = listening();
  Stranger slow(a->address());
  std::string bytes = std::string("\xDA\x00\x28", 3) + std::string(40, 'q') +
                      "\xA3"
                      "end";
  for (char byte : bytes) slow.say(BytesView(&byte, 1));
  CHECK(next_text(*a) == std::string(40, 'q'));
  CHECK(next_text(*a) == "end");
}

TEST_CASE("a message that is begun and not finished is told: cut off, reset, or out of time") {
  auto a = listening({.read_max = 50ms});
  {
    Stranger cut(a->address());
    cut.say(
        "\xA5"
        "abc");
  }
  CHECK(next_error(*a) == Errc::connection_lost);
  Stranger slow(a->address());
  slow.say(
      "\xDB\x00\x00\xFF\xFF"
      "abc");
  CHECK(next_error(*a) == Errc::timed_out);
  CHECK(slow.hears_end());
}

TEST_CASE("who connects and closes, or is reset, costs nothing and tells nothing") {
  auto a = listening();
  for (int i = 0; i < 200; ++i) {
    Stranger visitor(a->address());
    if (i % 2 == 0) visitor.reset();
  }
  while (a->stats().accepted < 200 || a->stats().connections > 0) std::this_thread::yield();
  CHECK(a->receive(0s).error().code == Errc::timed_out);
  CHECK(a->stats().faults == 0);
}

TEST_CASE("too many connections are a limit: closed when accepted, an error when dialled") {
  auto a = listening({.connections_max = 2});
  Stranger one(a->address());
  Stranger two(a->address());
  while (a->stats().connections < 2) std::this_thread::yield();
  Stranger three(a->address());
  CHECK(three.hears_end());
  CHECK(a->stats().refused == 1);
  auto other = listening();
  CHECK(a->send_and_wait(other->address(), "x").error().code == Errc::limit_reached);
  one.say("\xA2hi");
  CHECK(next_text(*a) == "hi");
  // So many addresses are remembered, too.
  CHECK(a->try_send(nowhere(), "x"));
  auto third = a->try_send(nowhere(), "x");
  REQUIRE_FALSE(third);
  CHECK(third.error().code == Errc::limit_reached);
}

TEST_CASE("back-pressure reaches the sender: overloaded, a wait that ends, and word of room") {
  Doorway doorway;
  auto b = open({.waiting_max = 1'000'000});
  std::string body(100'000, 'x');
  size_t sent = 0;
  Result<> last;
  // The kernels take some; then it stays.
  while ((last = b->send(doorway.address(), body, 50ms))) ++sent;
  CHECK(last.error().code == Errc::timed_out);
  CHECK(b->try_send(doorway.address(), body).error().code == Errc::overloaded);
  std::promise<bool> room;
  REQUIRE(b->when_room(doorway.address(), body.size(), [&] { room.set_value(true); }));
  std::future<bool> told = room.get_future();
  CHECK(told.wait_for(0s) == std::future_status::timeout);
  Stranger reader = doorway.accept();
  std::string heard = reader.hear(sent * (body.size() + 5));
  CHECK(heard.size() == sent * (body.size() + 5));
  REQUIRE(told.wait_for(10s) == std::future_status::ready);
  CHECK(told.get());
  CHECK(b->try_send(doorway.address(), "x"));
}

TEST_CASE("a full inbox is not read for, and loses nothing") {
  auto a = listening({.inbox_max = 20'000});
  auto b = open({.waiting_max = 100'000});
  std::string body(1000, 'x');
  uint64_t sent = 0;
  while (b->send(a->address(), body, 100ms)) ++sent;
  CHECK(a->stats().pauses > 0);
  CHECK(a->stats().messages_received < sent);
  for (uint64_t i = 0; i < sent; ++i) CHECK(next_text(*a) == body);
}

TEST_CASE("who takes nothing for too long is given up, and each message told") {
  Doorway doorway;
  auto b = open({.waiting_max = 64 << 20, .write_max = 100ms});
  std::atomic<int> failed = 0;
  std::atomic<int> told = 0;
  int sent = 0;
  std::string body(1 << 20, 'x');
  for (; sent < 40; ++sent)
    REQUIRE(b->send(doorway.address(), body, [&](Result<> result) {
      if (!result && result.error().code == Errc::timed_out) ++failed;
      ++told;
    }));
  while (failed == 0) std::this_thread::yield();
  b->close();
  CHECK(told == sent);
}

TEST_CASE("a receiver that does not count is found out: what was sent is told timed_out") {
  Doorway doorway;
  auto b = open({.confirm = Confirm::received, .write_max = 50ms});
  auto sent = b->send_and_wait(doorway.address(), "hello");
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == Errc::timed_out);
  Stranger stranger = doorway.accept();
  CHECK(stranger.hear(12) == "\xD6Tram1\xA5hello");
}

TEST_CASE("counts that cannot be are garbage") {
  Doorway doorway;
  auto b = open({.confirm = Confirm::received});
  std::promise<Errc> told;
  REQUIRE(b->send(doorway.address(), "hello", [&](Result<> result) {
    told.set_value(result ? Errc::cancelled : result.error().code);
  }));
  Stranger stranger = doorway.accept();
  stranger.say(std::string("\xCF\0\0\0\0\0\0\0\x02", 9));  // Two came, of one.
  CHECK(told.get_future().get() == Errc::protocol_error);
  CHECK(next_error(*b) == Errc::protocol_error);
  auto a = listening();
  Stranger early(a->address());
  early.say(std::string("\xCF\0\0\0\0\0\0\0\x01", 9));  // Nobody asked.
  CHECK(next_error(*a) == Errc::protocol_error);
  Stranger late(a->address());
  late.say("\xA1x\xD6Tram1");
  CHECK(next_text(*a) == "x");
  CHECK(next_error(*a) == Errc::protocol_error);
}

TEST_CASE("a lost connection: what it carried is told, what was not given to it goes on the next") {
  Doorway doorway;
  auto b = open({.confirm = Confirm::received, .backoff = {.first = 1ms, .most = 2ms}});
  std::promise<Errc> told;
  REQUIRE(b->send(doorway.address(), "first", [&](Result<> result) {
    told.set_value(result ? Errc::cancelled : result.error().code);
  }));
  {
    Stranger stranger = doorway.accept();
    CHECK(stranger.hear(12) ==
          "\xD6Tram1\xA5"
          "first");
    stranger.reset();
  }
  CHECK(told.get_future().get() == Errc::connection_lost);
  REQUIRE(b->send(doorway.address(), "second"));
  Stranger again = doorway.accept();
  CHECK(again.hear(13) == "\xD6Tram1\xA6second");
}

TEST_CASE("idle connections that were dialled are closed, and dialled again when needed") {
  auto a = listening();
  auto b = open({.idle_max = 20ms});
  REQUIRE(b->send(a->address(), "one"));
  CHECK(next_text(*a) == "one");
  while (a->stats().connections > 0 || b->stats().addresses > 0) std::this_thread::yield();
  REQUIRE(b->send(a->address(), "two"));
  CHECK(next_text(*a) == "two");
  CHECK(b->stats().dialled == 2);
}

TEST_CASE("several connections to one address share what waits") {
  auto a = listening();
  auto b = open({.connections_per_address = 3, .spread_min = 10'000});
  std::string body(5000, 'x');
  for (int i = 0; i < 2000; ++i) REQUIRE(b->send(a->address(), body));
  for (int i = 0; i < 2000; ++i) CHECK(next_text(*a) == body);
  CHECK(b->stats().dialled > 1);
  CHECK(b->stats().dialled <= 3);
  // Answers go back on what was dialled.
  REQUIRE(b->send(a->address(), "last"));
  std::string from = next(*a).from();
  REQUIRE(a->send(from, "back"));
  CHECK(next_text(*b) == "back");
}

TEST_CASE(
    "close tells what is in flight, refuses what comes, and leaves what came to be received") {
  auto a = listening();
  auto b = open({.unreachable_max = 60s, .close_max = 60s});
  REQUIRE(b->send_and_wait(a->address(), "kept"));
  while (a->stats().messages_received == 0) std::this_thread::yield();
  std::promise<Errc> told;
  REQUIRE(b->send(nowhere(), "x", [&](Result<> result) {
    told.set_value(result ? Errc::io_error : result.error().code);
  }));
  b->close();
  // It is not tried for a minute any more: either it was being tried, or it was not.
  Errc why = told.get_future().get();
  CHECK((why == Errc::unreachable || why == Errc::cancelled));
  CHECK(b->try_send(a->address(), "x").error().code == Errc::cancelled);
  CHECK(b->receive().error().code == Errc::cancelled);
  a->close();
  CHECK(next_text(*a) == "kept");
  CHECK(a->receive().error().code == Errc::cancelled);
}

TEST_CASE("close does not wait for who takes nothing, and tells what it did not take") {
  Doorway doorway;
  auto b = open({.waiting_max = 64 << 20, .close_max = 10ms});
  std::atomic<int> told = 0;
  std::atomic<int> cancelled = 0;
  std::string body(1 << 20, 'x');
  for (int i = 0; i < 40; ++i)
    REQUIRE(b->send(doorway.address(), body, [&](Result<> result) {
      ++told;
      if (!result && result.error().code == Errc::cancelled) ++cancelled;
    }));
  auto began = clock_of_tests.now();
  b->close();
  CHECK(clock_of_tests.now() - began < tram::base::Duration(5s));  // write_max would be ten.
  CHECK(told == 40);
  CHECK(cancelled > 0);
}

TEST_CASE("an answer to a connection that has ended is told lost, and not written to it") {
  auto a = listening({.unreachable_max = 0s});
  std::string from;
  {
    Stranger stranger(a->address());
    stranger.say("\xA1x");
    from = next(*a).from();
  }
  while (a->stats().connections > 0) std::this_thread::yield();
  auto sent = a->send_and_wait(from, "too late");
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == Errc::unreachable);
}

TEST_CASE("close writes what waits first") {
  auto a = listening();
  for (Confirm confirm : {Confirm::handed, Confirm::received}) {
    auto b = open({.confirm = confirm, .close_max = 30s});
    for (int i = 0; i < 5000; ++i) REQUIRE(b->send(a->address(), std::string(1000, 'x')));
    b->close();
    CHECK(b->stats().messages_lost == 0);
    for (int i = 0; i < 5000; ++i) CHECK(next_text(*a).size() == 1000);
  }
}

TEST_CASE("a callback may send, and is never made to wait") {
  Peer* self = nullptr;
  std::atomic<bool> ready = false;
  auto a = listening({.on_datagram = [&](const Datagram& datagram) {
    while (!ready) std::this_thread::yield();
    CHECK(self->send(datagram.from(), "echo " + std::string(datagram.data)));
  }});
  self = a.get();
  ready = true;
  auto b = open();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(b->send(a->address(), std::to_string(i)));
    CHECK(next_text(*b) == "echo " + std::to_string(i));
  }
}

TEST_CASE("receive_then is told once; who does not want it after all leaves it to the next") {
  auto a = listening();
  auto b = open();
  std::promise<std::string> got;
  a->receive_then([](Result<Datagram>) { return false; });
  a->receive_then([&](Result<Datagram> datagram) {
    got.set_value(std::string(datagram->data));
    return true;
  });
  REQUIRE(b->send(a->address(), "for the second"));
  CHECK(got.get_future().get() == "for the second");
  std::promise<Errc> ended;
  a->receive_then([&](Result<Datagram> datagram) {
    ended.set_value(datagram.error().code);
    return true;
  });
  a->close();
  CHECK(ended.get_future().get() == Errc::cancelled);
}

TEST_CASE("many threads send to many peers, and every message arrives once") {
  constexpr int senders = 4;
  constexpr int each = 5000;
  std::vector<std::unique_ptr<Peer>> receivers;
  for (int i = 0; i < 3; ++i) receivers.push_back(listening());
  auto b = open({.waiting_max = 50'000});
  std::vector<std::thread> threads;
  for (int t = 0; t < senders; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i)
        REQUIRE(b->send(receivers[static_cast<size_t>(i % 3)]->address(),
                        std::to_string(t) + " " + std::to_string(i)));
    });
  std::vector<int> last(senders * 3, -1);
  for (size_t r = 0; r < 3; ++r) {
    for (int i = 0; i < senders * ((each + 2 - static_cast<int>(r)) / 3); ++i) {
      int thread = 0;
      int number = 0;
      REQUIRE(std::sscanf(next_text(*receivers[r]).c_str(), "%d %d", &thread, &number) == 2);
      int& before = last[static_cast<size_t>(thread) * 3 + r];
      CHECK(number > before);
      before = number;
    }
    CHECK(receivers[r]->receive(0s).error().code == Errc::timed_out);
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("thousands of connections live in one process") {
  // Both ends of each are ours.
  size_t count = std::min<size_t>(4000, (descriptors() - 200) / 2);
  MESSAGE(count << " connections; the limit of descriptors is " << descriptors());
  auto a = listening();
  std::vector<Stranger> strangers;
  strangers.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    strangers.emplace_back(a->address());
    strangers.back().say("\xA1x");
  }
  std::vector<std::string> froms;
  for (size_t i = 0; i < count; ++i) froms.push_back(next(*a).from());
  CHECK(a->stats().connections == count);
  for (const std::string& from : froms) REQUIRE(a->send(from, "to you"));
  for (Stranger& one : strangers) CHECK(one.hear(7) == "\xA6to you");
}

TEST_CASE("a thousand peers on one loop pass a message round") {
  // Each has a listener, two connections, and a descriptor to be woken by.
  size_t count = std::min<size_t>(1000, (descriptors() - 200) / 4);
  Loop loop(clock_of_tests);
  std::vector<std::unique_ptr<Peer>> peers(count);
  size_t passed = 0;
  for (size_t i = 0; i < count; ++i) {
    auto pass_on = [&, i](const Datagram& datagram) {
      ++passed;
      if (i + 1 == count)
        loop.stop();
      else
        CHECK(peers[i]->try_send(peers[i + 1]->address(), datagram.data));
    };
    auto peer = Peer::open({.listen = {"127.0.0.1:0"}, .on_datagram = pass_on}, loop);
    REQUIRE_MESSAGE(peer, peer.error().text());
    peers[i] = std::move(*peer);
  }
  REQUIRE(peers[0]->try_send(peers[0]->address(), "round"));  // Also to itself.
  loop.run();
  CHECK(passed == count);
  peers.clear();
}

TEST_CASE("on a given loop, nothing runs but in its turns") {
  Loop loop(clock_of_tests);
  std::vector<std::string> came;
  auto a = Peer::open(
      {.listen = {"127.0.0.1:0"},
       .on_datagram = [&](const Datagram& datagram) { came.emplace_back(datagram.data); }},
      loop);
  REQUIRE(a);
  auto b = Peer::open({.confirm = Confirm::received}, loop);
  REQUIRE(b);
  bool told = false;
  REQUIRE((*b)->try_send((*a)->address(), "hello", [&](Result<> result) {
    told = bool(result);
    loop.stop();
  }));
  loop.run();
  CHECK(told);
  CHECK(came == std::vector<std::string>{"hello"});
}
