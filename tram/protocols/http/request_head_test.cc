#include "tram/protocols/http/request_head.h"

#include <doctest/doctest.h>
#include <string>

using namespace tram::protocols::http;

namespace {

// What is wrong with a request: "ok", or the status and what it is told.
std::string verdict(std::string_view request) {
  size_t size = find_head_end(request);
  if (size == 0) return "unfinished";
  auto head = parse_head(request.substr(0, size), 100);
  if (head) return "ok";
  return std::to_string(head.error().status) + " " + head.error().error.detail;
}

RequestHead parsed(std::string_view request) {
  auto head = parse_head(request, 100);
  REQUIRE(head);
  return *head;
}

}  // namespace

TEST_CASE("a request's head is read as it was written") {
  RequestHead head = parsed(
      "POST /v1/queues/a%20b?wait_ms=5&x HTTP/1.1\r\nhost: h:1\r\nContent-Length:  12 \r\n"
      "CONTENT-TYPE: text/plain; charset=utf-8\r\nAccept: */*\r\nExpect: 100-Continue\r\n"
      "Authorization: Bearer x\r\nOrigin: http://h:1\r\nEmpty:\r\n\r\n");
  CHECK(head.method == Method::post);
  CHECK(head.minor_version == 1);
  CHECK(head.path == "/v1/queues/a%20b");
  CHECK(head.query == "wait_ms=5&x");
  CHECK(head.host == "h:1");
  CHECK(head.content_length == 12);
  CHECK(media_type(head.content_type) == "text/plain");
  CHECK(head.accept == "*/*");
  CHECK(head.authorization == "Bearer x");
  CHECK(head.origin == "http://h:1");
  CHECK(head.expects_continue);
  CHECK(head.keep_alive);
  CHECK_FALSE(head.chunked);
  std::string names;
  for (FieldLines lines(head.fields); lines.next();)
    names.append(lines.name()).append("=").append(lines.value()).append(";");
  CHECK(names.starts_with("host=h:1;Content-Length=12;"));
  CHECK(names.ends_with("Origin=http://h:1;Empty=;"));
}

TEST_CASE("a connection is kept when its version and its headers say so") {
  auto kept = [](std::string_view version, std::string_view field) {
    return parsed("GET / " + std::string(version) + "\r\nHost: h\r\n" + std::string(field) + "\r\n")
        .keep_alive;
  };
  CHECK(kept("HTTP/1.1", ""));
  CHECK_FALSE(kept("HTTP/1.1", "Connection: close\r\n"));
  CHECK_FALSE(kept("HTTP/1.1", "Connection: Keep-Alive, CLOSE\r\n"));
  CHECK_FALSE(kept("HTTP/1.0", ""));
  CHECK(kept("HTTP/1.0", "Connection: keep-alive\r\n"));
  CHECK_FALSE(kept("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST_CASE("a target may be a path, a whole address, or a star for OPTIONS") {
  CHECK(parsed("GET http://a.b:1/x/y?z=1 HTTP/1.1\r\nHost: h\r\n\r\n").path == "/x/y");
  CHECK(parsed("GET HTTP://a.b HTTP/1.1\r\nHost: h\r\n\r\n").path == "/");
  CHECK(parsed("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").path == "*");
  CHECK(parsed("GET /caf\xC3\xA9 HTTP/1.1\r\nHost: h\r\n\r\n").path == "/caf\xC3\xA9");
  CHECK(verdict("GET * HTTP/1.1\r\nHost: h\r\n\r\n") == "400 the request's target");
  CHECK(verdict("GET x HTTP/1.1\r\nHost: h\r\n\r\n") == "400 the request's target");
  CHECK(verdict("GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n") == "400 the request's target");
  CHECK(verdict("GET http://a?x HTTP/1.1\r\nHost: h\r\n\r\n") == "400 the request's target");
  CHECK(verdict("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n") == "400 the request's target");
  CHECK(verdict("GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n") == "400 the request's target");
}

TEST_CASE("where a request ends is beyond doubt, or it is refused") {
  auto with = [](std::string_view fields) {
    return verdict("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n");
  };
  CHECK(with("Content-Length: 5\r\n") == "ok");
  CHECK(with("Content-Length: 5\r\nContent-Length: 5\r\n") == "400 Content-Length is there twice");
  for (std::string_view odd : {"", "+1", "-1", "1 1", "1,1", "0x1", "1.0", "99999999999999999999"})
    CHECK_MESSAGE(with("Content-Length: " + std::string(odd) + "\r\n") ==
                      "400 Content-Length is not a number",
                  odd);
  CHECK(with("Transfer-Encoding: chunked\r\n") == "ok");
  CHECK(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") ==
        "400 Content-Length and Transfer-Encoding together");
  CHECK(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") ==
        "400 Transfer-Encoding is there twice");
  CHECK(with("Transfer-Encoding: gzip, chunked\r\n") ==
        "501 a Transfer-Encoding other than chunked");
  CHECK(with("Transfer-Encoding : chunked\r\n") == "400 a header is not 'Name: value'");
  CHECK(with("A: b\r\n c: d\r\n") == "400 a header is not 'Name: value'");
  CHECK(with("A: b\rC: d\r\n") == "400 a control character in a header");
  CHECK(with("A: b\nC: d\r\n") == "400 lines end with CR LF");
  CHECK(with(std::string_view("A: \0\r\n", 6)) == "400 a control character in a header");
  CHECK(with("Host: i\r\n") == "400 Host is there twice");
  CHECK(with("Expect: tea\r\n") == "417 what Expect asks for");
  CHECK(verdict("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") ==
        "400 HTTP/1.0 knows no chunks");
  CHECK(verdict("GET / HTTP/1.1\r\n\r\n") == "400 there is no Host");
}

TEST_CASE("what is not HTTP/1.1 is told so") {
  CHECK(verdict("GET / HTTP/2.0\r\n\r\n").starts_with("505"));
  CHECK(verdict("GET / HTTP/1.2\r\n\r\n").starts_with("505"));
  for (std::string_view bad :
       {"GET /\r\n\r\n", "hello\r\n\r\n", "GET / HTTP/11\r\n\r\n", "GET / http/1.1\r\n\r\n",
        "G(T / HTTP/1.1\r\n\r\n", "\r\n\r\n", " / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n",
        "GET /\n\n", "GET / HTTP/1.1\nHost: h\n\n"})
    CHECK_MESSAGE(verdict(bad).starts_with("400"), bad);
}

TEST_CASE("a head's end is found wherever it is cut, and looked for only once") {
  std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\n\r\n";
  size_t end = request.find("\r\n\r\n") + 4;
  for (size_t seen = 0; seen < request.size(); ++seen)
    for (size_t scanned = 0; scanned <= std::min(seen, end - 1); ++scanned)
      CHECK(find_head_end(std::string_view(request).substr(0, seen), scanned) ==
            (seen >= end ? end : 0));
}

TEST_CASE("too many headers are refused with their own status") {
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 100; ++i) many += "A: b\r\n";
  CHECK(verdict(many + "\r\n").starts_with("431"));
}

TEST_CASE("a WebSocket is asked for by two headers together") {
  auto asks = [](std::string_view fields) {
    return parsed("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n")
        .upgrades_to_websocket;
  };
  CHECK(asks("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"));
  CHECK_FALSE(asks("Upgrade: websocket\r\n"));
  CHECK_FALSE(asks("Connection: Upgrade\r\nUpgrade: h2c\r\n"));
}
