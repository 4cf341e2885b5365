#include "tram/client/address.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using tram::client::parse_address;
using tram::client::parse_addresses;

namespace {
std::string shown(std::string_view text) {
  auto address = parse_address(text);
  if (!address) return "refused";
  return fmt::format("{} {} {}/{}/{}", address->host, address->port, address->user,
                     address->password, address->token);
}
}  // namespace

TEST_CASE("addresses are read as people write them") {
  CHECK(shown("nats://127.0.0.1:4333") == "127.0.0.1 4333 //");
  CHECK(shown("tcp://broker.example") == "broker.example 4222 //");
  CHECK(shown("broker") == "broker 4222 //");
  CHECK(shown("broker:99/") == "broker 99 //");
  CHECK(shown("nats://joe:s3cret@broker") == "broker 4222 joe/s3cret/");
  CHECK(shown("nats://t0ken@broker") == "broker 4222 //t0ken");
  CHECK(shown("nats://joe:p%40ss%3aword@broker") == "broker 4222 joe/p@ss:word/");
  CHECK(shown("nats://joe:a@b@broker") == "broker 4222 joe/a@b/");
  CHECK(shown("[::1]:4223") == "::1 4223 //");
  CHECK(shown("nats://[fe80::1%25eth0]") == "fe80::1%25eth0 4222 //");
}

TEST_CASE("what cannot be an address is refused") {
  for (const char* bad :
       {"", "nats://", "http://x", "tls://x", "x:0", "x:65536", "x:", "x:4a", "::1", "[::1",
        "[::1]x", "[::1]:", "a b", "a/b", "u%4@h", "u%zz@h", "u%@h"}) {
    CAPTURE(bad);
    CHECK(shown(bad) == "refused");
  }
}

TEST_CASE("several addresses are joined by commas, and none of them may be empty") {
  auto three = parse_addresses("a,nats://b:1,c:2");
  REQUIRE(three);
  CHECK(three->size() == 3);
  CHECK((*three)[1].text() == "nats://b:1");
  CHECK(!parse_addresses("a,"));
  CHECK(!parse_addresses(""));
}

TEST_CASE("an address is shown without its secrets") {
  CHECK(parse_address("joe:secret@host")->text() == "nats://host:4222");
  CHECK(parse_address("[::1]")->text() == "nats://[::1]:4222");
}
