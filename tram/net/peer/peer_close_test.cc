// How a Peer ends.
#include <atomic>
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
