#include "tram/client/requests.h"

#include <doctest/doctest.h>
#include <string>

using namespace std::chrono_literals;
using namespace tram::client;
using tram::base::Errc;
using tram::base::Result;
using tram::base::Time;

namespace {

struct World {
  Requests requests;
  std::string heard;  // what handlers were told, in order

  uint64_t ask(const std::string& name, Time deadline = Time::never(), uint64_t replies = 1) {
    auto told = [this, name](const Result<Message>& reply) {
      heard += name + ":" +
               (reply ? std::string(reply->payload) : std::string(name_of(reply.error().code))) +
               " ";
    };
    return requests.add(told, replies, deadline);
  }
  void reply(uint64_t number, const char* payload) {
    requests.deliver(number, {.payload = payload});
  }
};

constexpr Time start;

}  // namespace

TEST_CASE("each reply finds its own request, once") {
  World world;
  uint64_t a = world.ask("a"), b = world.ask("b");
  world.reply(b, "2");
  world.reply(a, "1");
  world.reply(a, "late");
  world.reply(99, "stray");
  CHECK(world.heard == "b:2 a:1 ");
  CHECK(world.requests.size() == 0);
}

TEST_CASE("a request for several replies hears them all and no more") {
  World world;
  uint64_t a = world.ask("a", Time::never(), 2);
  for (const char* text : {"1", "2", "3"}) world.reply(a, text);
  CHECK(world.heard == "a:1 a:2 ");
}

TEST_CASE("requests expire at their deadlines, in the order in which they were asked") {
  World world;
  world.ask("a", start + 2s);
  world.ask("b", start + 1s);
  world.ask("c", start + 5s);
  CHECK(world.requests.next_deadline() == start + 1s);
  world.requests.expire(start + 500ms);
  CHECK(world.heard == "");
  world.requests.expire(start + 2s);
  CHECK(world.heard == "a:timed_out b:timed_out ");
  CHECK(world.requests.next_deadline() == start + 5s);
}

TEST_CASE("nobody listening and a lost connection are told as errors") {
  World world;
  uint64_t a = world.ask("a", Time::never(), 5);
  world.ask("b");
  world.requests.deliver(a, {.headers = HeadersView("NATS/1.0 503\r\n\r\n")});
  world.requests.fail_all({Errc::connection_lost, ""});
  CHECK(world.heard == "a:no_responders b:connection_lost ");
}

TEST_CASE("a handler may ask again and may forget itself") {
  Requests requests;
  int calls = 0;
  uint64_t number = 0;
  number = requests.add(
      [&](const Result<Message>&) {
        ++calls;
        requests.remove(number);
        requests.add([&](const Result<Message>&) { ++calls; }, 1, Time::never());
      },
      3, Time::never());
  requests.deliver(number, {});
  requests.deliver(number, {});
  CHECK(calls == 1);
  CHECK(requests.size() == 1);
}
