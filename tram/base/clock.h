// Who says what time it is. Only `main` makes the real one; tests wind theirs by hand.
#pragma once

#include "tram/base/time.h"

namespace tram::base {

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes back. Its zero is arbitrary, so it is for measuring and for deadlines.
  virtual Time now() const = 0;
  // What the calendar says, in nanoseconds since 1970 in UTC: for people to read, and nothing else.
  virtual int64_t wall_nanoseconds() const = 0;
};

}  // namespace tram::base
