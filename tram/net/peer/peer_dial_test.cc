// How connections are made when they are needed, made again, and given up.
#include <doctest/doctest.h>
#include <string>
#include <thread>

#include "tram/net/peer.h"
#include "tram/net/testing/peers.h"
#include "tram/net/testing/stranger.h"

using namespace std::chrono_literals;
using namespace tram::net;
using namespace tram::net::testing;
using tram::base::Errc;

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

TEST_CASE("who dialled us is not dialled when its connection has ended: nobody listens there") {
  auto a = listening({.unreachable_max = 1h});
  std::string from;
  {
    Stranger stranger(a->address());
    stranger.say("\xA1x");
    from = next(*a).from();
    REQUIRE(a->send_and_wait(from, "answer"));
    CHECK(stranger.hear(7) ==
          "\xA6"
          "answer");
  }
  while (a->stats().connections > 0) std::this_thread::yield();
  for (int i = 0; i < 3; ++i) {
    auto sent = a->send_and_wait(from, "too late");
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == Errc::connection_lost);
  }
  CHECK(a->stats().dials_failed == 0);
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
