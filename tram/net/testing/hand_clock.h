// For tests: a clock that is wound by hand, and turns of a loop one at a time.
#pragma once

#include "tram/base/clock.h"
#include "tram/net/loop.h"

namespace tram::net::testing {

class HandClock final : public base::Clock {
 public:
  Time now() const override { return now_; }
  int64_t wall_nanoseconds() const override { return now_.nanoseconds(); }
  void wind(Duration duration) { now_ = now_ + duration; }

 private:
  Time now_ = Time::from_nanoseconds(1);
};

// Handles what is ready, and returns without waiting.
inline void turn(Loop& loop, int times = 3) {
  for (int i = 0; i < times; ++i) {
    loop.stop();
    loop.run();
  }
}

}  // namespace tram::net::testing
