// The connection's manners: order, time, limits, ends. What each request answers is told in
// routes_test.cc, and byte by byte to a real broker in tests/conformance/http.
#include "tram/protocols/http/session.h"

#include <doctest/doctest.h>

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
// The statuses of all answers in `text`, in order.
std::string statuses(std::string_view text) {
  std::string all;
  for (size_t at = 0; (at = text.find("HTTP/1.1 ", at)) != std::string_view::npos; at += 9)
    all.append(text.substr(at + 9, 3)).append(" ");
  return all;
}

}  // namespace

TEST_CASE("an answer says what it is, when it was, and how long it is") {
  HttpWorld world;
  CHECK(world.ask(get("/healthz")) ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Date: Mon, 02 Nov 2026 09:00:00 GMT\r\nContent-Length: 3\r\n\r\nok\n");
  CHECK(world.ask("HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("Length: 3\r\n\r\n"));
  CHECK(world.ask(get("/ready")).find("Content-Length") == std::string::npos);
}

TEST_CASE("requests are answered in order, wherever the bytes are cut") {
  std::string all = get("/healthz") + post("/v1/queues/q", "one") +
                    "POST /v1/queues/q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\ntwo\r\n0\r\n\r\n" +
                    post("/v1/queues/q/get", "") + "\r\n" + get("/nope") + get("/ready");
  for (size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{50}, all.size()}) {
    HttpWorld world;
    auto client = world.connect();
    std::string heard;
    for (size_t at = 0; at < all.size(); at += step)
      heard += client.say(std::string_view(all).substr(at, step));
    CHECK(statuses(heard) == "200 200 200 200 404 204 ");
    CHECK(heard.find("\r\n\r\none") != std::string::npos);
    CHECK_FALSE(client.closed());
  }
}

TEST_CASE("a large body is put whole, and got back whole") {
  HttpWorld world;
  std::string body(1 << 20, 'x');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31);
  auto client = world.connect();
  CHECK(statuses(client.say(post("/v1/queues/q", body)).substr(0, 20)) == "200 ");
  std::string got = client.say(post("/v1/queues/q/get", ""));
  CHECK(got.substr(got.find("\r\n\r\n") + 4) == body);
}

TEST_CASE("the next request waits for the answer to the one before") {
  HttpWorld world;
  auto worker = world.connect();
  CHECK(worker.say(post("/v1/queues/q/get?wait_ms=5000", "") + get("/healthz")).empty());
  world.ask(post("/v1/queues/q", "now"));
  std::string heard = worker.hear();
  CHECK(statuses(heard) == "200 200 ");
  CHECK(heard.find("now") < heard.find("ok\n"));
}

TEST_CASE("slow peers are given their time, and no more") {
  HttpWorld world;
  auto nothing = world.connect();
  auto half_a_head = world.connect();
  auto half_a_body = world.connect();
  auto half_a_chunk = world.connect();
  CHECK(half_a_head.say("GET / HT").empty());
  CHECK(half_a_body.say("POST /v1/queues/q HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
            .empty());
  CHECK(half_a_chunk
            .say("POST /v1/queues/q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n")
            .empty());
  // A byte a second changes nothing: the time is for the whole.
  for (int i = 0; i < 9; ++i) {
    world.advance(1s);
    half_a_head.say("T");
  }
  CHECK_FALSE(half_a_head.closed());
  world.advance(1s);
  CHECK(statuses(half_a_head.hear()) == "408 ");
  CHECK(half_a_head.closed());
  CHECK_FALSE(half_a_body.closed());
  world.advance(20s);
  CHECK(statuses(half_a_body.hear()) == "408 ");
  CHECK(half_a_body.closed());
  world.advance(40s);
  CHECK(statuses(half_a_chunk.hear()) == "408 ");
  CHECK_FALSE(nothing.closed());
  world.advance(51s);
  CHECK(nothing.hear().empty());
  CHECK(nothing.closed());
}

TEST_CASE("a connection that is used is kept, however early its timer was set") {
  HttpWorld world;
  auto client = world.connect();
  client.say("GET /rea");
  CHECK(statuses(client.say("dy HTTP/1.1\r\nHost: h\r\n\r\n")) == "204 ");
  for (int i = 0; i < 5; ++i) {
    world.advance(119s);
    CHECK(statuses(client.say(get("/ready"))) == "204 ");
  }
  world.advance(121s);
  CHECK(client.closed());
}

TEST_CASE("a worker may wait longer than any time-out of the connection") {
  HttpWorld world;
  auto worker = world.connect();
  worker.say(post("/v1/queues/q/get?wait_ms=3600000", ""));
  world.advance(600s);
  CHECK_FALSE(worker.closed());
  world.ask(post("/v1/queues/q", "late"));
  CHECK(worker.hear().ends_with("late"));
}

TEST_CASE("what is too large is refused before it is read") {
  HttpOptions options;
  options.message_bytes_max = 100;
  HttpWorld world(options);
  auto refused = [&](std::string_view request) {
    auto client = world.connect();
    std::string heard = client.say(request);
    CHECK(client.closed());
    CHECK(heard.find("Connection: close") != std::string::npos);
    return statuses(heard);
  };
  CHECK(refused("POST /v1/queues/q HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n") == "413 ");
  CHECK(refused("POST /v1/queues/q HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000\r\n\r\n") ==
        "413 ");
  CHECK(refused(
            "POST /v1/queues/q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n") ==
        "413 ");
  CHECK(refused("GET /" + std::string(20000, 'x')) == "414 ");
  CHECK(refused("GET / HTTP/1.1\r\nA: " + std::string(20000, 'x')) == "431 ");
  CHECK(refused("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(20000, 'x') + "\r\n\r\n") ==
        "431 ");
  auto client = world.connect();
  CHECK(statuses(client.say(post("/v1/queues/q", std::string(100, 'x')))) == "200 ");
}

TEST_CASE("a refusal keeps the connection if the request's body is there to be skipped") {
  HttpWorld world;
  auto client = world.connect();
  CHECK(statuses(client.say(post("/nope", "GET /evil HTTP/1.1\r\n\r\n") + get("/ready"))) ==
        "404 204 ");
  CHECK(statuses(client.say("POST /nope HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")) ==
        "404 ");
  CHECK(client.closed());
}

TEST_CASE("go on is said once, to whoever asks for it and may") {
  HttpWorld world;
  auto client = world.connect();
  std::string head = "POST /v1/queues/q HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n";
  CHECK(client.say(head + "Content-Length: 2\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(client.say("a").empty());
  CHECK(statuses(client.say("b")) == "200 ");
  CHECK(statuses(client.say(head + "Content-Length: 2\r\n\r\nab")) == "200 ");
  CHECK(statuses(client.say(head + "Content-Length: 2000000\r\n\r\n")) == "413 ");
}

TEST_CASE("passwords and tokens open the door; health needs neither") {
  HttpWorld world({}, {}, tram::protocols::Access("u", "p:w", "secret"));
  auto with = [&](std::string_view said) {
    return statuses(world.ask(post(
        "/v1/queues/q", "x", said.empty() ? "" : "Authorization: " + std::string(said) + "\r\n")));
  };
  CHECK(with("Basic dTpwOnc=") == "200 ");  // u:p:w
  CHECK(with("bearer secret") == "200 ");
  for (std::string_view wrong : {"", "Basic dTpw", "Basic dQ==", "Basic !!", "Bearer", "Bearer x",
                                 "Basic", "Digest u", "secret", "Basic c2VjcmV0"})
    CHECK_MESSAGE(with(wrong) == "401 ", wrong);
  std::string refused = world.ask(get("/v1/queues"));
  CHECK(refused.find("WWW-Authenticate: Basic realm=\"tram\"") != std::string::npos);
  CHECK(refused.find("\"code\":\"unauthorized\"") != std::string::npos);
  CHECK(statuses(world.ask(post("/api/publish", "{}"))) == "401 ");
  CHECK(statuses(world.ask(get("/metrics"))) == "401 ");
  for (std::string_view open : {"/healthz", "/readyz", "/"})
    CHECK(statuses(world.ask(get(open))) == "200 ");
  CHECK(statuses(world.ask(get("/ready"))) == "204 ");
}

TEST_CASE("pages of other sites are kept out until they are let in") {
  auto asked = [](HttpWorld& world, std::string_view origin, std::string_view method = "POST") {
    return world.ask(std::string(method) + " /v1/queues/q HTTP/1.1\r\nHost: b:1\r\nOrigin: " +
                     std::string(origin) + "\r\nContent-Length: 0\r\n\r\n");
  };
  HttpWorld closed;
  CHECK(statuses(asked(closed, "http://evil")) == "403 ");
  CHECK(statuses(asked(closed, "null")) == "403 ");
  CHECK(statuses(asked(closed, "http://b:1")) == "200 ");
  CHECK(statuses(asked(closed, "http://evil", "GET")) == "200 ");
  CHECK(asked(closed, "http://evil", "OPTIONS").find("Access-Control") == std::string::npos);

  HttpOptions options;
  options.allowed_origin = "https://board.example";
  HttpWorld open(options);
  CHECK(statuses(asked(open, "http://evil")) == "403 ");
  std::string answer = asked(open, "https://board.example");
  CHECK(statuses(answer) == "200 ");
  CHECK(answer.find("Access-Control-Allow-Origin: https://board.example\r\n") != std::string::npos);
  std::string preflight = open.ask(
      "OPTIONS /v1/queues/q HTTP/1.1\r\nHost: b:1\r\nOrigin: https://board.example\r\n"
      "Access-Control-Request-Method: DELETE\r\n"
      "Access-Control-Request-Headers: authorization\r\n\r\n");
  CHECK(preflight.find("Access-Control-Allow-Methods: OPTIONS, DELETE, GET, HEAD, POST\r\n") !=
        std::string::npos);
  CHECK(preflight.find("Access-Control-Allow-Headers: authorization\r\n") != std::string::npos);
}

TEST_CASE("one that asks and never reads is not read either, and others are served") {
  HttpWorld world;
  auto deaf = world.connect({.pending_max = size_t{4} << 20});
  std::string asks;
  for (int i = 0; i < 5000; ++i) asks += get("/v1/openapi.json");
  // Nothing is read here: the answers would be 200 MB.
  std::string_view left = asks;
  while (!left.empty()) {
    ssize_t size = deaf.push(left);
    world.settle();
    if (size <= 0) break;
    left.remove_prefix(static_cast<size_t>(size));
  }
  CHECK(deaf.connection().pending() < size_t{2} << 20);
  CHECK(statuses(world.ask(get("/ready"))) == "204 ");
}

TEST_CASE("a peer that has said all it will say still gets its answer") {
  HttpWorld world;
  auto client = world.connect();
  client.finish_sending();
  CHECK(client.closed());
  auto other = world.connect();
  std::string heard = other.say(post("/v1/queues/q", "x"));
  other.finish_sending();
  CHECK(statuses(heard + other.hear()) == "200 ");
  CHECK(other.closed());
}

TEST_CASE("when the program stops, what is in hand is finished and the rest is told") {
  HttpWorld world;
  auto idle = world.connect();
  auto waits = world.connect();
  auto lingers = world.connect();
  auto stream = world.connect();
  idle.say(get("/ready"));
  waits.say(post("/v1/queues/none/get?wait_ms=9000", ""));
  lingers.say(post("/v1/queues/q/take?n=2&wait_ms=9000&linger_ms=9000", ""));
  world.ask(post("/v1/queues/q", "one"));
  stream.say(get("/v1/subscribe?subject=a"));
  for (auto* client : {&idle, &waits, &lingers, &stream}) client->stop();
  CHECK(idle.hear().empty());
  CHECK(waits.hear().find("\"code\":\"shutting_down\"") != std::string::npos);
  CHECK(lingers.hear().find("\"data\":\"one\"") != std::string::npos);
  for (auto* client : {&idle, &waits, &lingers, &stream}) CHECK(client->closed());
  CHECK(world.engine.totals().waiting_takers == 0);
  CHECK(world.engine.totals().leased == 1);
}

TEST_CASE("nothing of a connection is left when it has gone") {
  HttpWorld world;
  {
    auto stream = world.connect();
    stream.say(get("/v1/subscribe?subject=a&subject=b.>&group=g"));
    auto waits = world.connect();
    waits.say(post("/v1/queues/q/take?n=3&wait_ms=9000&linger_ms=9000", ""));
    auto asks = world.connect();
    asks.say(post("/v1/request/a", "?"));
    world.ask(post("/v1/queues/q", "held"));
    CHECK(world.engine.totals().leased == 1);
    CHECK(world.engine.subscriptions() == 3);
    CHECK(world.door.counters().connections.value() == 3);
  }
  CHECK(world.engine.totals().leased == 0);
  CHECK(world.engine.totals().ready == 1);
  CHECK(world.engine.totals().waiting_takers == 0);
  CHECK(world.engine.subscriptions() == 1);  // The door's own inbox.
  CHECK(world.engine.callers() == 0);
  CHECK(world.door.counters().connections.value() == 0);
}

TEST_CASE("requests are counted by what they were and how they were answered") {
  HttpWorld world;
  auto client = world.connect();
  client.say(get("/ready") + get("/ready") + get("/nope") + get("/v1/queues/x") +
             post("/api/publish", "{}"));
  std::string counted;
  world.door.requests().each([&](std::string_view route, int status, const auto& cell) {
    counted.append(route).append(" ").append(std::to_string(status)).append(" ");
    counted.append(std::to_string(cell.count.value())).append("; ");
  });
  CHECK(counted == "publish 400 1; ready 204 2; showQueue 404 1; unknown 404 1; ");
}
