#include "tram/net/timers.h"

#include <doctest/doctest.h>
#include <memory>
#include <string>

using namespace std::chrono_literals;
using tram::base::Time;
using tram::net::Timer;
using tram::net::Timers;

TEST_CASE("timers fire in the order of their deadlines, not before, and once") {
  Timers timers;
  std::string fired;
  Timer a([&] { fired += 'a'; }), b([&] { fired += 'b'; });
  Time zero;
  timers.start(a, zero + 2s);
  timers.start(b, zero + 1s);
  CHECK(timers.next_deadline() == zero + 1s);
  timers.advance(zero + 999ms);
  CHECK(fired.empty());
  timers.advance(zero + 5s);
  CHECK(fired == "ba");
  timers.advance(zero + 9s);
  CHECK(fired == "ba");
  CHECK(timers.next_deadline() == Time::never());
}

TEST_CASE("a timer may start itself again without holding up the caller for ever") {
  Timers timers;
  int count = 0;
  Timer* self = nullptr;
  Timer timer([&] {
    ++count;
    timers.start(*self, Time());
  });
  self = &timer;
  timers.start(timer, Time());
  timers.advance(Time() + 1s);
  CHECK(count == 1);
  timers.advance(Time() + 1s);
  CHECK(count == 2);
}

TEST_CASE("a timer that dies, or is stopped, does not fire") {
  Timers timers;
  bool fired = false;
  {
    Timer gone([&] { fired = true; });
    timers.start(gone, Time());
  }
  Timer stopped([&] { fired = true; });
  timers.start(stopped, Time());
  timers.stop(stopped);
  timers.advance(Time() + 1s);
  CHECK_FALSE(fired);
}
