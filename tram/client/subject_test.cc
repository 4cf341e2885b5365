#include "tram/client/subject.h"

#include <doctest/doctest.h>

using namespace tram::client;
using tram::base::Bytes;
using tram::base::Errc;

TEST_CASE("subjects that cannot be published to are refused by name") {
  for (const char* good : {"a", "a.b", "$TRAM.PUT.x", "a*b", "a>b.c", "é.b"})
    CHECK(check_publish_subject(good));
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\r\nPUB"}) {
    CAPTURE(bad);
    CHECK(check_publish_subject(bad).error().code == Errc::invalid_subject);
  }
  for (const char* wild : {"*", ">", "a.*", "a.*.b", "a.>"}) {
    CHECK(check_publish_subject(wild).error().code == Errc::wildcard_in_publish);
  }
}

TEST_CASE("wildcards may be subscribed to, > only at the end") {
  for (const char* good : {"*", ">", "a.*.b", "a.>", "a"}) CHECK(check_subscribe_subject(good));
  for (const char* bad : {"", "a.>.b", ">.a", "a b", "a..>"}) CHECK(!check_subscribe_subject(bad));
}

TEST_CASE("a queue's name is 1 to 200 bytes that can be published to") {
  for (const char* good : {"jobs", "a.b.c", "über"}) CHECK(check_queue_name(good));
  CHECK(check_queue_name(Bytes(200, 'q')));
  CHECK(check_queue_name(Bytes(201, 'q')).error().code == Errc::invalid_queue_name);
  for (const char* bad : {"", "a b", "a*", "x.>", "a.", ".a", "a..b", "a\n"}) {
    CAPTURE(bad);
    CHECK(check_queue_name(bad).error().code == Errc::invalid_queue_name);
  }
}
