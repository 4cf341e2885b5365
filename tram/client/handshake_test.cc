#include "tram/client/handshake.h"

#include <doctest/doctest.h>

using namespace tram::client;
using tram::base::Errc;

TEST_CASE("INFO is read for what the client needs, whatever else it holds") {
  auto info = parse_info(
      R"({"server_id":"X","server_name":"n","version":"2.9.10","proto":1,"max_payload":4096,)"
      R"("headers":true,"client_id":7,"connect_urls":["10.0.0.1:4222",5],"ldm":true})");
  REQUIRE(info);
  CHECK(info->name == "n");
  CHECK(info->payload_bytes_max == 4096);
  CHECK(info->headers);
  CHECK(info->lame_duck);
  CHECK(!info->tls_required);
  CHECK(info->connect_urls == std::vector<std::string>{"10.0.0.1:4222"});
}

TEST_CASE("fields of another kind are as if they were missing, and what is not JSON is refused") {
  auto info = parse_info(R"({"max_payload":"big","headers":1,"version":2})");
  REQUIRE(info);
  CHECK(info->payload_bytes_max == 1024 * 1024);
  CHECK(!info->headers);
  for (const char* bad : {"", "{", "[]", "5", "{\"a\":1} x"}) CHECK(!parse_info(bad));
}

TEST_CASE("CONNECT says who we are, escaped, and only what is known") {
  Address address{.host = "h", .user = "joe\"", .password = "p"};
  std::string line = connect_line({.name = "me"}, address);
  CHECK(line.starts_with("CONNECT {"));
  CHECK(line.find(R"("user":"joe\"")") != std::string::npos);
  CHECK(line.find("auth_token") == std::string::npos);
  CHECK(line.find(R"("no_responders":true)") != std::string::npos);
  CHECK(connect_line({.name = "a\r\nPUB x"}, {}).find('\n') == std::string::npos);
}

TEST_CASE("-ERR's words become one of our codes") {
  auto code = [](const char* text) { return error_from_server(text).code; };
  CHECK(code("Authorization Violation") == Errc::unauthorized);
  CHECK(code("User Authentication Expired") == Errc::unauthorized);
  CHECK(code("Permissions Violation for Publish to \"a\"") == Errc::unauthorized);
  CHECK(code("Maximum Payload Violation") == Errc::message_too_large);
  CHECK(code("maximum connections exceeded") == Errc::limit_reached);
  CHECK(code("Maximum Control Line Exceeded") == Errc::request_too_large);
  CHECK(code("Invalid Publish Subject") == Errc::invalid_subject);
  CHECK(code("Stale Connection") == Errc::connection_lost);
  CHECK(code("Slow Consumer") == Errc::overloaded);
  CHECK(code("Unknown Protocol Operation") == Errc::protocol_error);
}
