// A client's life with the door, time and all. What each line answers is told to real brokers, and
// to nats-server, in tests/conformance/nats.
#include "tram/protocols/nats/session.h"

#include <algorithm>
#include <doctest/doctest.h>

#include "tram/protocols/nats/words.h"
#include "tram/protocols/testing/nats_world.h"

using namespace std::chrono_literals;
using namespace tram::protocols::nats;
using tram::protocols::testing::NatsWorld;

namespace {

constexpr const char* quiet = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
constexpr const char* quiet_with_headers =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n";

}  // namespace

TEST_CASE("INFO says what is true of this server and this client") {
  NatsOptions options;
  options.server_id = "ID";
  options.port = 4222;
  NatsWorld world(options);
  NatsWorld::Client client(world);
  CHECK(client.info.starts_with("INFO {"));
  CHECK(client.info.ends_with("}\r\n"));
  for (const char* member :
       {"\"server_id\":\"ID\"", "\"proto\":1", "\"headers\":true", "\"max_payload\":1048576",
        "\"client_id\":1", "\"client_ip\":\"127.0.0.1\"", "\"port\":4222"})
    CHECK_MESSAGE(client.info.find(member) != std::string::npos, member);
  CHECK(client.info.find("auth_required") == std::string::npos);
  CHECK(info_line(options, 7, "[::1]:99", true).find("\"client_ip\":\"::1\"") != std::string::npos);
  CHECK(info_line(options, 7, "[::1]:99", true).find("\"ldm\":true") != std::string::npos);
}

TEST_CASE("a conversation goes the same way wherever its bytes are cut") {
  const std::string all = std::string(quiet_with_headers) +
                          "SUB a.* 1\r\nSUB a.> g 2\r\nPUB a.b 3\r\none\r\n"
                          "HPUB a.c r 18 21\r\nNATS/1.0\r\nA: b\r\n\r\ntwo\r\n"
                          "UNSUB 1 3\r\nPUB a.b 0\n\r\nPUB nobody a.d 0\r\n\r\n"
                          "SUB bad..one 3\r\nPUB $TRAM.PUT.q a.e 4\r\nwork\r\n"
                          "PUB $TRAM.GET.q a.f 0\r\n\r\nPING\r\nNONSENSE\r\n";
  std::string whole;
  for (size_t step : {all.size(), size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{50}}) {
    NatsWorld world;
    NatsWorld::Client client(world);
    std::string heard;
    for (size_t at = 0; at < all.size(); at += step)
      heard += client.say(std::string_view(all).substr(at, step));
    CHECK(client.closed());
    if (whole.empty()) whole = heard;
    CHECK(heard == whole);
  }
  CHECK(whole.find("PONG\r\n-ERR 'Unknown Protocol Operation'\r\n") != std::string::npos);
  CHECK(whole.find("HMSG a.d 2 16 16\r\nNATS/1.0 503\r\n\r\n\r\n") != std::string::npos);
  CHECK(whole.ends_with("-ERR 'Unknown Protocol Operation'\r\n"));
}

TEST_CASE("a silent client is asked twice whether it is there, and then let go") {
  NatsOptions options;
  options.ping_interval = 10s;
  NatsWorld world(options);
  NatsWorld::Client client(world);
  client.say(quiet);
  world.advance(5s);
  client.say("PONG\r\n");  // Whatever it says counts.
  world.advance(9s);
  CHECK(client.hear().empty());
  world.advance(1s);
  CHECK(client.hear() == "PING\r\n");
  CHECK(client.say("PONG\r\n").empty());
  world.advance(10s);
  CHECK(client.hear() == "PING\r\n");
  world.advance(10s);
  CHECK(client.hear() == "PING\r\n");
  CHECK_FALSE(client.closed());
  world.advance(10s);
  CHECK(client.hear() == "-ERR 'Stale Connection'\r\n");
  CHECK(client.closed());
}

TEST_CASE("who must say who it is has a limited time for it") {
  NatsOptions options;
  options.access = tram::protocols::Access("ann", "secret", "");
  NatsWorld world(options);
  NatsWorld::Client slow(world);
  NatsWorld::Client known(world);
  CHECK(slow.info.find("\"auth_required\":true") != std::string::npos);
  known.say("CONNECT {\"user\":\"ann\",\"pass\":\"secret\",\"verbose\":false}\r\n");
  world.advance(2s);
  CHECK(slow.hear() == "-ERR 'Authentication Timeout'\r\n");
  CHECK(slow.closed());
  CHECK(known.say("PING\r\n") == "PONG\r\n");
}

TEST_CASE("what CONNECT does not say stays as it was") {
  ConnectOptions first;
  CHECK(first.verbose);
  CHECK(first.pedantic);
  CHECK(first.echo);
  auto second = parse_connect("{\"verbose\":false,\"unknown\":[1,{}],\"user\":null}", first);
  REQUIRE(second);
  CHECK_FALSE(second->options.verbose);
  CHECK(second->options.pedantic);
  auto third = parse_connect("{\"echo\":false,\"protocol\":1,\"headers\":true}", second->options);
  REQUIRE(third);
  CHECK_FALSE(third->options.verbose);
  CHECK_FALSE(third->options.echo);
  CHECK(third->options.headers);
  for (const char* bad : {"", "[]", "{", "{\"verbose\":1}", "{\"user\":[]}", "{\"protocol\":-1}",
                          "{\"protocol\":1e9}", "{}x", "\"\xFF\""})
    CHECK_MESSAGE(!parse_connect(bad, first), bad);
  CHECK_FALSE(parse_connect(std::string(100'000, '['), first));
}

TEST_CASE("when a client goes, nothing of it stays behind") {
  NatsWorld world;
  NatsWorld::Client other(world);
  other.say(quiet);
  {
    NatsWorld::Client client(world);
    client.say(quiet);
    client.say(
        "SUB a 1\r\nSUB b.* g 2\r\nUNSUB 1\r\nSUB c 3\r\nUNSUB 3 5\r\nPUB $TRAM.PUT.q 4\r\n"
        "work\r\nPUB $TRAM.TAKE.q c 0\r\n\r\nPUB b.x 100\r\nhalf of it");
    CHECK(world.engine.subscriptions() == 2);
  }
  CHECK(world.engine.subscriptions() == 0);
  CHECK(world.engine.callers() == 1);
  CHECK(other.say("SUB i 1\r\nPUB $TRAM.GET.q i 0\r\n\r\n") == "MSG i 1 4\r\nwork\r\n");
}

TEST_CASE("when one who never reads is let go, those who read are not flooded") {
  NatsWorld world;
  tram::net::ConnectionLimits limits;
  limits.pending_max = size_t{1} << 20;
  NatsWorld::Client deaf(world, limits);
  NatsWorld::Client reader(world, limits);
  NatsWorld::Client publisher(world);
  // A hundred times what comes in goes out, so one read of the publisher's is enough for a flood.
  std::string subscriptions = quiet;
  for (int i = 0; i < 100; ++i) subscriptions += "SUB a " + std::to_string(i) + "\r\n";
  deaf.say(subscriptions);
  reader.say(subscriptions);
  publisher.say(quiet);
  std::string flood;
  for (int i = 0; i < 200; ++i) flood += "PUB a 1000\r\n" + std::string(1000, 'x') + "\r\n";
  size_t sent = 0;
  size_t heard = 0;
  for (int idle = 0; idle < 100; ++idle) {
    ssize_t size = publisher.push(std::string_view(flood).substr(sent));
    if (size > 0) sent += static_cast<size_t>(size);
    std::string more = reader.hear();
    heard += static_cast<size_t>(std::count(more.begin(), more.end(), '\n')) / 2;
    if (size > 0 || !more.empty()) idle = 0;
  }
  CHECK(deaf.closed());
  CHECK_FALSE(reader.closed());
  CHECK(sent == flood.size());
  CHECK(heard == 200 * 100);
}

TEST_CASE("a message of a queue that nobody listens for goes back") {
  NatsWorld world;
  NatsWorld::Client client(world);
  client.say(quiet);
  client.say("PUB $TRAM.PUT.q 4\r\nwork\r\nPUB $TRAM.GET.q nobody 0\r\n\r\n");
  client.say("PUB $TRAM.TAKE.q nobody 7\r\n{\"n\":5}\r\nPUB $TRAM.GET.q bad..one 0\r\n\r\n");
  client.say("PUB $TRAM.GET.q * 0\r\n\r\n");
  CHECK(client.say("SUB i 1\r\nPUB $TRAM.GET.q i 0\r\n\r\n") == "MSG i 1 4\r\nwork\r\n");
}

TEST_CASE(
    "after takes of several that nobody listens for, every request still gets its own answer") {
  // Some end with their last message, some while they would have waited for more.
  for (std::string take : {R"({"n":1})", R"({"n":2})", R"({"n":3})", R"({"n":4})",
                           R"({"n":4,"linger_ms":60000})", R"({"n":100,"wait_ms":60000})"}) {
    CAPTURE(take);
    NatsWorld world;
    NatsWorld::Client client(world);
    client.say(quiet);
    client.say(
        "SUB a.* 1\r\nPUB $TRAM.PUT.q 1\r\n1\r\nPUB $TRAM.PUT.q 1\r\n2\r\n"
        "PUB $TRAM.PUT.q 1\r\n3\r\n");
    for (int i = 0; i < 3; ++i)
      client.say("PUB $TRAM.TAKE.q nobody " + std::to_string(take.size()) + "\r\n" + take + "\r\n");
    for (std::string one : {"x", "y", "z"})
      client.say("PUB $TRAM.GET." + one + " a." + one + " 17\r\n{\"wait_ms\":60000}\r\n");
    for (std::string one : {"z", "x", "y"})
      CHECK(client.say("PUB $TRAM.PUT." + one + " 5\r\nfor " + one + "\r\n") ==
            "MSG a." + one + " 1 5\r\nfor " + one + "\r\n");
    // And nothing was lost or changed places.
    for (std::string one : {"1", "2", "3"})
      CHECK(client.say("PUB $TRAM.GET.q a.q 0\r\n\r\n") == "MSG a.q 1 1\r\n" + one + "\r\n");
  }
}

TEST_CASE("a take whose reader goes while it waits for more leaves its number to nobody else") {
  NatsWorld world;
  NatsWorld::Client client(world);
  client.say(quiet);
  client.say("SUB gone 1 \r\nUNSUB 1 1\r\nSUB a.* 2\r\nPUB $TRAM.PUT.q 1\r\n1\r\n");
  std::string take = R"({"n":5,"linger_ms":60000})";
  CHECK(client.say("PUB $TRAM.TAKE.q gone " + std::to_string(take.size()) + "\r\n" + take + "\r\n")
            .ends_with(" 1\r\n1\r\n"));
  // The reader had one message coming. The next finds it gone, and the take ends there.
  client.say("PUB $TRAM.PUT.q 1\r\n2\r\n");
  CHECK(world.engine.totals().waiting_takers == 0);
  for (std::string one : {"x", "y"})
    client.say("PUB $TRAM.GET." + one + " a." + one + " 17\r\n{\"wait_ms\":60000}\r\n");
  for (std::string one : {"y", "x"})
    CHECK(client.say("PUB $TRAM.PUT." + one + " 1\r\n!\r\n") == "MSG a." + one + " 2 1\r\n!\r\n");
  CHECK(client.say("PUB $TRAM.GET.q a.q 0\r\n\r\n") == "MSG a.q 2 1\r\n2\r\n");
}

TEST_CASE("a subject that is not one reaches nobody") {
  NatsWorld world;
  NatsWorld::Client client(world);
  client.say(quiet);
  CHECK(client.say("SUB > 1\r\nSUB a.* 2\r\nSUB a.> 3\r\nPUB a.* 1\r\nx\r\nPUB a.> 1\r\nx\r\n"
                   "PUB a. 1\r\nx\r\nPUB .a 1\r\nx\r\nPUB a..b 1\r\nx\r\nPING\r\n") == "PONG\r\n");
}
