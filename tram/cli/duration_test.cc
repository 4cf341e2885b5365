#include "tram/cli/duration.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using tram::base::Duration;
using tram::cli::parse_duration;
using tram::cli::show_duration;

TEST_CASE("durations are read as people type them") {
  CHECK(parse_duration("500ms") == Duration(500ms));
  CHECK(parse_duration("5s") == Duration(5s));
  CHECK(parse_duration("1m30s") == Duration(90s));
  CHECK(parse_duration("1.5h") == Duration(90min));
  CHECK(parse_duration("250us") == Duration(250us));
  CHECK(parse_duration("0") == Duration());
  CHECK(parse_duration("2d") == Duration(48h));
}

TEST_CASE("a number without a unit, and what is no duration, is refused") {
  for (const char* bad :
       {"", "5", "s", "-1s", "5 s", "5x", "1e3s", "5s5", "99999999999999999999d", "nan", "0x5s"}) {
    CAPTURE(bad);
    CHECK(!parse_duration(bad));
  }
}

TEST_CASE("durations are shown in the unit that fits") {
  CHECK(show_duration(Duration(340us)) == "340us");
  CHECK(show_duration(Duration(1500ms)) == "1.5s");
  CHECK(show_duration(Duration(200s)) == "3m20s");
  CHECK(show_duration(Duration(50h)) == "2d2h");
  CHECK(show_duration(Duration()) == "0ns");
}
