// An idle limit for connections that others dialled, on a loop whose clock is wound by hand.
#include <doctest/doctest.h>

#include "tram/net/peer.h"
#include "tram/net/testing/hand_clock.h"
#include "tram/net/testing/stranger.h"

using namespace std::chrono_literals;
using namespace tram::net;
using namespace tram::net::testing;

namespace {

struct World {
  explicit World(Duration accepted_idle_max) {
    auto opened =
        Peer::open({.listen = {"127.0.0.1:0"}, .accepted_idle_max = accepted_idle_max}, loop);
    REQUIRE_MESSAGE(opened, opened.error().text());
    peer = std::move(*opened);
  }
  // Until the peer has so many connections: the kernel says when they have come, or gone.
  bool comes_to(uint64_t connections) {
    for (int i = 0; i < 10'000 && peer->stats().connections != connections; ++i) turn(loop);
    return peer->stats().connections == connections;
  }
  void wind(Duration duration) {
    clock.wind(duration);
    turn(loop);
  }

  HandClock clock;
  Loop loop{clock};
  std::unique_ptr<Peer> peer;
};

}  // namespace

TEST_CASE("an accepted connection on which nothing comes or goes is closed, if there is a limit") {
  World world(10s);
  Stranger stranger(world.peer->address());
  REQUIRE(world.comes_to(1));
  world.wind(9s);
  CHECK(world.peer->stats().connections == 1);
  world.wind(2s);
  CHECK(stranger.hears_end());
}

TEST_CASE("what comes, and what goes, counts as life") {
  World world(10s);
  Stranger stranger(world.peer->address());
  REQUIRE(world.comes_to(1));
  world.wind(6s);
  stranger.say("\xa2me");
  for (int i = 0; i < 10'000 && world.peer->stats().messages_received == 0; ++i) turn(world.loop);
  auto came = world.peer->receive(0s);
  REQUIRE(came);
  world.wind(6s);
  REQUIRE(world.peer->try_send(came->from(), "answer"));
  turn(world.loop);
  CHECK(stranger.hear(7) ==
        "\xa6"
        "answer");
  world.wind(6s);
  CHECK(world.peer->stats().connections == 1);
  world.wind(6s);
  CHECK(stranger.hears_end());
}

TEST_CASE("without a limit a silent connection stays") {
  World world(Duration::forever());
  Stranger stranger(world.peer->address());
  REQUIRE(world.comes_to(1));
  world.wind(24h);
  CHECK(world.peer->stats().connections == 1);
}
