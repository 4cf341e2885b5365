// What requests answer, where a real broker cannot be brought into the state that it takes.
#include <doctest/doctest.h>

#include "tram/protocols/http/websocket_frames.h"
#include "tram/protocols/testing/http_world.h"

using namespace std::chrono_literals;
using namespace tram::protocols::http;
using tram::protocols::testing::HttpWorld;

namespace {

std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}
std::string post(std::string_view path, std::string_view body, std::string_view fields = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
std::string gopher(std::string_view path, std::string_view body) {
  return post(path, body, "Content-Type: application/json\r\n");
}
std::string body_of(const std::string& answer) {
  return answer.substr(std::min(answer.find("\r\n\r\n") + 4, answer.size()));
}

}  // namespace

TEST_CASE("a mailbox that nobody fetches expires, and publishing there is then told so") {
  HttpWorld world;
  std::string opened = body_of(world.ask(gopher("/api/subscribe", R"({"subject":"a.*"})")));
  CHECK(opened == "{\"id\":\"00000000-0000-4001-8000-000000000007\",\"subject\":\"a.*\"}\n");
  std::string publish = gopher("/api/publish", R"({"subject":"a.b","data":"x"})");
  CHECK(body_of(world.ask(publish)) == "{\"status\":\"ok\"}\n");
  world.advance(4min);
  CHECK(body_of(world.ask(gopher("/api/fetch", opened))) ==
        "{\"data\":[\"x\"],\"id\":\"00000000-0000-4001-8000-000000000007\",\"subject\":\"a.*\"}\n");
  world.advance(4min);
  CHECK(body_of(world.ask(publish)) == "{\"status\":\"ok\"}\n");
  world.advance(2min);
  CHECK(body_of(world.ask(publish)) == "{\"message\":\"subscriber not found\"}\n");
  CHECK(body_of(world.ask(gopher("/api/fetch", opened))) == "{\"message\":\"bad id\"}\n");
}

TEST_CASE("limits of the broker are told in GopherMQ's manners, and in ours") {
  tram::broker::Limits limits;
  limits.mailboxes_max = 0;
  limits.queues_max = 0;
  HttpWorld world({}, limits);
  CHECK(world.ask(gopher("/api/subscribe", R"({"subject":"a"})"))
            .starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
  CHECK(body_of(world.ask(gopher("/api/subscribe", R"({"subject":"a"})")))
            .starts_with("{\"message\":"));
  CHECK(body_of(world.ask(post("/v1/mailboxes", R"({"subject":"a"})")))
            .starts_with("{\"error\":{\"code\":\"limit_reached\""));
  CHECK(body_of(world.ask(post("/v1/queues/q", "x")))
            .starts_with("{\"error\":{\"code\":\"limit_reached\""));
  CHECK(body_of(world.ask(post("/v1/queues/q", "{}", "Content-Type: application/x-ndjson\r\n")))
            .starts_with("{\"error\":{\"code\":\"limit_reached\""));
}

TEST_CASE("async publishes what it said ok to, and counts what could not be placed") {
  HttpOptions options;
  options.async_in_flight_max = 4;
  tram::broker::Limits limits;
  limits.mailbox_pending_max = 0;
  HttpWorld world(options, limits);
  world.ask(gopher("/api/subscribe", R"({"subject":"a"})"));
  auto client = world.connect();
  std::string all;
  for (std::string_view subject : {"a", "nobody", "a b", "a", "a"})
    all += gopher("/api/publish/async", "{\"subject\":\"" + std::string(subject) + "\"}");
  // All five in one turn: the fifth finds four on their way.
  std::string heard = client.say(all);
  CHECK(heard.find("429 Too Many Requests") != std::string::npos);
  CHECK(heard.find("{\"message\":\"broker overflow\"}\n") != std::string::npos);
  world.finish_workers();
  const AsyncCounters& counters = world.door.async_counters();
  CHECK(counters.accepted.value() == 4);
  CHECK(counters.refused.value() == 1);
  CHECK(counters.no_subscriber.value() == 1);
  CHECK(counters.invalid_subject.value() == 1);
  CHECK(counters.published.value() + counters.overflow.value() == 2);
  CHECK(counters.overflow.value() >= 1);
  CHECK(world.log.text.find("event=async_publish_lost") != std::string::npos);
  CHECK(world.log.text.find('\n') == world.log.text.size() - 1);  // One line, not three.
}

TEST_CASE("async refuses what is too large, and everything once the workers have stopped") {
  HttpOptions options;
  options.message_bytes_max = 10;
  HttpWorld world(options);
  CHECK(world.ask(gopher("/api/publish/async", R"({"subject":"a","data":"12345678901"})"))
            .starts_with("HTTP/1.1 413 "));
  world.finish_workers();
  CHECK(world.ask(gopher("/api/publish/async", R"({"subject":"a"})")).starts_with("HTTP/1.1 429 "));
}

TEST_CASE("a lease over HTTP outlives the connection, and ends with its time") {
  HttpWorld world;
  world.ask(post("/v1/queues/q", "x"));
  CHECK(body_of(world.ask(post("/v1/queues/q/take?lease_ms=60000", ""))).find("\"data\":\"x\"") !=
        std::string::npos);
  world.advance(59s);
  CHECK(world.ask(post("/v1/queues/q/get", "")).starts_with("HTTP/1.1 204 "));
  world.advance(1s);
  std::string again = world.ask(post("/v1/queues/q/get", ""));
  CHECK(again.find("Tram-Attempt: 2\r\n") != std::string::npos);
}

TEST_CASE("an answer to a take has a size; what is beyond it was never taken") {
  HttpOptions options;
  options.answer_bytes_max = 2500;
  HttpWorld world(options);
  for (int i = 0; i < 10; ++i) world.ask(post("/v1/queues/q", std::string(1000, 'x')));
  std::string answer = world.ask(post("/v1/queues/q/take?n=10", ""));
  CHECK(answer.find("\"attempt\":1") != std::string::npos);
  CHECK(world.engine.totals().leased == 3);
  CHECK(world.engine.totals().ready == 7);
  CHECK(world.ask(post("/v1/queues/q/get", "")).find("Tram-Attempt: 1\r\n") != std::string::npos);
}

TEST_CASE("headers that HTTP cannot carry are left out, and it is said how many") {
  HttpWorld world;
  world.ask(post("/v1/queues/q", R"({"data":"x","headers":{"Good":"1","B(d":"2","Ugly":"\u0001"}})",
                 "Content-Type: application/x-ndjson\r\n"));
  std::string got = world.ask(post("/v1/queues/q/get", ""));
  CHECK(got.find("Tram-Header-Good: 1\r\n") != std::string::npos);
  CHECK(got.find("Tram-Headers-Omitted: 2\r\n") != std::string::npos);
  CHECK(got.find("Ugly") == std::string::npos);
  world.ask(post("/v1/queues/q", "{\"headers\":{\"Long\":\"" + std::string(9000, 'x') + "\"}}",
                 "Content-Type: application/x-ndjson\r\n"));
  CHECK(world.ask(post("/v1/queues/q/get", "")).find("Tram-Headers-Omitted: 1\r\n") !=
        std::string::npos);
}

TEST_CASE("a queue's name cannot break out of the header that carries it") {
  HttpWorld world;
  world.ask(post("/v1/queues/%C3%A9%25", "x"));
  CHECK(world.ask(post("/v1/queues/%C3%A9%25/get", "")).find("Tram-Queue: %C3%A9%25\r\n") !=
        std::string::npos);
}

TEST_CASE("a request waits as long as it says, and a late answer is nobody's") {
  HttpWorld world;
  auto server = world.connect();
  server.say(get("/v1/subscribe?subject=time"));
  auto client = world.connect();
  CHECK(client.say(post("/v1/request/time?timeout_ms=2000", "?")).empty());
  std::string asked = server.hear();
  size_t at = asked.find("\"reply_to\":\"") + 12;
  std::string inbox = asked.substr(at, asked.find('"', at) - at);
  world.advance(1999ms);
  CHECK(client.hear().empty());
  world.advance(1ms);
  CHECK(client.hear().starts_with("HTTP/1.1 504 "));
  world.ask(post("/v1/publish/" + inbox, "late"));
  CHECK(client.hear().empty());
  CHECK(client.say(get("/ready")).starts_with("HTTP/1.1 204 "));
  // And one that is in time.
  client.say(post("/v1/request/time", "?"));
  asked = server.hear();
  at = asked.find("\"reply_to\":\"") + 12;
  inbox = asked.substr(at, asked.find('"', at) - at);
  world.ask(post("/v1/publish/" + inbox, "noon"));
  CHECK(client.hear().ends_with("\r\n\r\nnoon"));
  world.advance(10s);
  CHECK(client.hear().empty());
}

TEST_CASE("streams give signs of life, and a WebSocket that gives none is let go") {
  HttpWorld world;
  auto events = world.connect();
  CHECK(events.say(get("/v1/subscribe?subject=a")).ends_with("\r\n\r\n"));
  world.advance(15s);
  CHECK(events.hear() == ":\n\n");
  auto socket = world.connect();
  CHECK(socket
            .say("GET /v1/subscribe HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            .starts_with("HTTP/1.1 101 "));
  world.advance(15s);
  CHECK(socket.hear() == std::string_view("\x89\0", 2));
  socket.say(std::string_view("\x8A\x80mask", 6));
  world.advance(15s);
  CHECK(socket.hear() == std::string_view("\x89\0", 2));
  world.advance(15s);
  CHECK(socket.closed());
}

TEST_CASE("a reader that does not keep up is cut off, or loses the newest, as it chose") {
  HttpWorld world;
  auto cut_off = world.connect({.pending_max = 100'000});
  auto loses = world.connect({.pending_max = 100'000});
  cut_off.say(get("/v1/subscribe?subject=a"));
  loses.say(get("/v1/subscribe?subject=a&policy=drop_newest"));
  auto publisher = world.connect();
  for (int i = 0; i < 100; ++i) {
    publisher.say(post("/v1/publish/a", std::string(50'000, 'x')));
    world.advance(50ms);  // With every reader behind, the publisher is held back so long.
  }
  CHECK(world.door.counters().slow_consumers.value() == 1);
  CHECK(world.door.counters().dropped.value() > 10);
  CHECK(world.log.text.find("event=slow_subscriber") != std::string::npos);
  CHECK(world.log.text.find('\n') == world.log.text.size() - 1);
  cut_off.hear();
  CHECK(cut_off.closed());
  // The other has holes in its events, and goes on.
  loses.hear();
  CHECK_FALSE(loses.closed());
  publisher.say(post("/v1/publish/a", "after"));
  CHECK(loses.hear().find("\"data\":\"after\"") != std::string::npos);
}

TEST_CASE("readiness ends before the program does") {
  HttpWorld world;
  CHECK(world.ask(get("/readyz")).starts_with("HTTP/1.1 200 "));
  world.shared.stopping = true;
  CHECK(world.ask(get("/readyz")).starts_with("HTTP/1.1 503 "));
  CHECK(world.ask(get("/healthz")).starts_with("HTTP/1.1 200 "));
}
