#include "tram/base/log_line.h"

#include <doctest/doctest.h>

using tram::base::LogLine;

TEST_CASE("plain values stand bare, so that a line is easy to search") {
  CHECK(LogLine("listening").with("door", "nats").with("port", 4222).text() ==
        "event=listening door=nats port=4222");
}

TEST_CASE("a value cannot forge a field or a line") {
  CHECK(LogLine("closed").with("why", "a b=\"c\"\nlevel=error").text() ==
        R"(event=closed why="a b=\"c\"\x0alevel=error")");
  CHECK(LogLine("closed").with("name", "").text() == R"(event=closed name="")");
}
