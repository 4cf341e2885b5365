// What a Peer makes of strangers: garbage, torn and unfinished messages, visitors.
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
