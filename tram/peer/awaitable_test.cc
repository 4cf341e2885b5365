#include "tram/peer/awaitable.h"

#include <doctest/doctest.h>
#include <string>

#include "tram/base/system_clock.h"
#include "tram/work/task.h"

using namespace std::chrono_literals;
using namespace tram::work;
using tram::net::Datagram;
using tram::net::Peer;
using tram::net::PeerOptions;

namespace {

const tram::base::SystemClock clock_of_tests;  // Has no state.

std::unique_ptr<Peer> open(PeerOptions options) {
  auto peer = Peer::open(std::move(options), clock_of_tests);
  REQUIRE_MESSAGE(peer, peer.error().text());
  return std::move(*peer);
}

Task<int> echo(Peer& peer, Context c) {
  for (int answered = 0;; ++answered) {
    Unit<Datagram> next = tram::peer::receive(c, peer);
    Datagram datagram = co_await next;
    if (datagram.data.empty()) co_return answered;
    Unit<void> sent = tram::peer::send(c, peer, datagram.from(), datagram.data);
    co_await sent;
  }
}

Task<std::string> ask(Peer& peer, std::string address, std::string question, Context c) {
  Unit<void> sent = tram::peer::send(c, peer, address, question);
  co_await sent;
  Unit<Datagram> next = tram::peer::receive(c, peer);
  Datagram datagram = co_await next;
  co_return std::string(datagram.data);
}

}  // namespace

TEST_CASE("coroutines ask and answer, and hold no thread while they wait") {
  Runtime runtime({.workers = 1});
  auto a = open({.listen = {"127.0.0.1:0"}});
  auto b = open({});
  Scope scope(runtime);
  Unit<int> served = scope.spawn([&](Context c) { return echo(*a, c); });
  for (int i = 1; i <= 100; ++i) {
    Unit<std::string> asked = scope.spawn(
        [&](Context c) { return ask(*b, a->address(), "question " + std::to_string(i), c); });
    CHECK(asked.get().value() == "question " + std::to_string(i));
  }
  REQUIRE(b->send(a->address(), ""));
  CHECK(served.get().value() == 100);
}

TEST_CASE("a unit that is cancelled takes no datagram with it") {
  Runtime runtime({.workers = 1});
  auto a = open({.listen = {"127.0.0.1:0"}});
  auto b = open({});
  Scope scope(runtime, {.on_error = OnError::keep_going});
  Unit<Datagram> first = tram::peer::receive(scope, *a);
  Unit<Datagram> second = tram::peer::receive(scope, *a);
  first.cancel();
  REQUIRE(b->send(a->address(), "hello"));
  CHECK(second.get().value().data == "hello");
  CHECK(first.get().error() == Errc::cancelled);
}

TEST_CASE("a send waits for room without a thread; one that cannot be made says why") {
  Runtime runtime({.workers = 1});
  auto a = open({.listen = {"127.0.0.1:0"}});
  auto b = open({.waiting_max = 10'000, .unreachable_max = 0s});
  Scope scope(runtime, {.on_error = OnError::keep_going});
  std::vector<Unit<void>> sent;
  std::string body(7000, 'x');
  for (int i = 0; i < 200; ++i) sent.push_back(tram::peer::send(scope, *b, a->address(), body));
  for (Unit<void>& one : sent) CHECK(one.get());
  for (int i = 0; i < 200; ++i) CHECK(a->receive(10s)->data == body);
  Unit<void> wrong = tram::peer::send(scope, *b, "nowhere", "x");
  CHECK(wrong.get().error() == Errc::invalid_argument);
  std::string gone = a->address();
  a->close();
  b->close();
  Unit<void> late = tram::peer::send(scope, *b, gone, "x");
  CHECK(late.get().error() == Errc::closed);
  Unit<Datagram> none = tram::peer::receive(scope, *b);
  CHECK(none.get().error() == Errc::closed);
}
