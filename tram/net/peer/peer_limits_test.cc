// What happens at each limit: message, connections, bytes that wait, inbox.
#include <doctest/doctest.h>
#include <future>
#include <string>
#include <thread>

#include "tram/net/peer.h"
#include "tram/net/testing/peers.h"
#include "tram/net/testing/stranger.h"

using namespace std::chrono_literals;
using namespace tram::net;
using namespace tram::net::testing;
using tram::base::Errc;
using tram::base::Result;

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
