// What a Peer does where nothing goes wrong: addresses, answers, the ways to receive, loops.
#include "tram/net/peer.h"

#include <atomic>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <future>
#include <set>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tram/net/loop.h"
#include "tram/net/testing/peers.h"

using namespace tram::net;
using namespace tram::net::testing;
using tram::base::Errc;
using tram::base::Result;

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

TEST_CASE("one thread sends with several peers, to several addresses, while some come and go") {
  auto a = listening();
  auto b = listening();
  for (int i = 0; i < 3; ++i) {
    auto one = open();
    auto two = open({.confirm = Confirm::received});
    REQUIRE(one->send(a->address(), "one to a"));
    REQUIRE(two->send(a->address(), "two to a"));
    REQUIRE(one->send(b->address(), "one to b"));
    REQUIRE(two->send(b->address(), "two to b"));
    for (Peer* each : {a.get(), b.get()}) {
      std::string name = each == a.get() ? "a" : "b";
      std::set<std::string> heard = {next_text(*each), next_text(*each)};
      CHECK(heard == std::set<std::string>{"one to " + name, "two to " + name});
    }
    one->close();
    CHECK(one->send(b->address(), "too late").error().code == Errc::cancelled);
    REQUIRE(two->send(b->address(), "in time"));
    CHECK(next_text(*b) == "in time");
  }
}
