#include "tram/base/time.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using tram::base::Duration;
using tram::base::Time;

TEST_CASE("for ever stays for ever: time saturates instead of wrapping") {
  CHECK(Time::from_nanoseconds(5) + Duration::forever() == Time::never());
  CHECK(Time::never() + 1s == Time::never());
  CHECK(Duration::forever() + 1s == Duration::forever());
  CHECK(Duration::from_milliseconds(std::numeric_limits<int64_t>::max()) == Duration::forever());
}

TEST_CASE("durations come from chrono's literals and go back") {
  CHECK(Duration(1500ms).seconds() == doctest::Approx(1.5));
  CHECK(Duration(2s).milliseconds() == 2000);
  CHECK((Time::from_nanoseconds(0) + 3s) - Time::from_nanoseconds(0) == Duration(3s));
}
