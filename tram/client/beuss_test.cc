#include "tram/client/beuss.h"

#include <doctest/doctest.h>

using tram::base::Bytes;
using tram::base::Errc;
using tram::client::beuss_put_frame;

TEST_CASE("a PUT is the queue's name in 32 bytes and the content behind it") {
  CHECK(*beuss_put_frame("jobs", "hello", 100) == "jobs" + Bytes(28, ' ') + "hello");
  Bytes full(32, 'q');
  CHECK(*beuss_put_frame(full, "x", 33) == full + "x");
}

TEST_CASE("what the server would cut, join or misread is refused") {
  CHECK(beuss_put_frame("jobs", "x", 32).error().code == Errc::message_too_large);
  CHECK(beuss_put_frame("jobs", "", 100).error().code == Errc::invalid_argument);
  for (const char* name : {"", " a", "a ", "QUIT", "a\n", "123456789012345678901234567890123"}) {
    CAPTURE(name);
    CHECK(beuss_put_frame(name, "x", 100).error().code == Errc::invalid_queue_name);
  }
}
