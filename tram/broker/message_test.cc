#include "tram/broker/message.h"

#include <doctest/doctest.h>

using namespace tram::broker;

TEST_CASE("a message's content keeps headers and payload apart, any byte in either") {
  std::string headers("NATS/1.0\r\n\r\n"), payload("\0\xff\n", 3);
  Content content(headers, payload);
  CHECK(content.headers() == headers);
  CHECK(content.payload() == payload);
  CHECK(content.size() == headers.size() + payload.size());

  Content empty("", "");
  CHECK(empty.headers().empty());
  CHECK(empty.payload().empty());
  CHECK(Content().size() == 0);
}

TEST_CASE("durability levels go by the names that the replies show") {
  CHECK(name_of(Durability::memory) == "memory");
  CHECK(name_of(Durability::os) == "os");
  CHECK(name_of(Durability::disk) == "disk");
  CHECK(name_of(Durability::replicated) == "replicated");
}
