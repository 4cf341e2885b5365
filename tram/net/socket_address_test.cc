#include "tram/net/socket_address.h"

#include <doctest/doctest.h>
#include <string>

using tram::net::SocketAddress;

TEST_CASE("an address is read, and said again as it was") {
  for (const char* text :
       {"127.0.0.1:7000", "localhost:0", "[::1]:65535", "unix:/tmp/x", "a.b-c:1"}) {
    CAPTURE(text);
    auto address = SocketAddress::parse(text);
    REQUIRE(address);
    CHECK(address->text() == text);
  }
  CHECK(SocketAddress::parse("[::1]:7")->host == "::1");
  CHECK(SocketAddress::parse("unix:/tmp/x")->is_unix());
}

TEST_CASE("what is no address is refused with the reason") {
  for (std::string text :
       {"", ":", "a:", ":1", "a:b", "a:1b", "a:65536", "a:-1", "::1:7", "unix:", "a b:1", "a"}) {
    CAPTURE(text);
    auto address = SocketAddress::parse(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == tram::base::Errc::invalid_argument);
    CHECK(address.error().detail.starts_with(text + ": "));
  }
  CHECK_FALSE(SocketAddress::parse("unix:" + std::string(108, 'x')));
  CHECK_FALSE(SocketAddress::parse(std::string("unix:/a\0b", 9)));
}
