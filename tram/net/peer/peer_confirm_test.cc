// What a sender is told, and what of it is true.
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

TEST_CASE("a receiver that does not count is found out: what was sent is told timed_out") {
  Doorway doorway;
  auto b = open({.confirm = Confirm::received, .write_max = 50ms});
  auto sent = b->send_and_wait(doorway.address(), "hello");
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == Errc::timed_out);
  Stranger stranger = doorway.accept();
  CHECK(stranger.hear(12) == "\xD6Tram1\xA5hello");
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

TEST_CASE("losses that nobody waits for are counted and told") {
  std::promise<std::pair<uint64_t, Errc>> lost;
  auto b =
      open({.on_loss = [&](const Loss& loss) { lost.set_value({loss.messages, loss.error.code}); },
            .close_max = 0s});
  // What nobody accepts is handed to the kernel all the same; so: nobody there.
  std::string address = nowhere();
  for (int i = 0; i < 10; ++i) REQUIRE(b->send(address, "x"));
  b->close();
  CHECK(lost.get_future().get() == std::pair<uint64_t, Errc>(10, Errc::cancelled));
  CHECK(b->stats().messages_lost == 10);
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
