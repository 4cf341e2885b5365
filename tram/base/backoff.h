// How long to wait before trying again: doubling, with jitter, up to a limit.
#pragma once

#include "tram/base/random.h"
#include "tram/base/time.h"

namespace tram::base {

struct Backoff {
  Duration first = std::chrono::milliseconds(50);
  Duration most = std::chrono::seconds(4);

  // Before attempt 1, 2, 3...: uniform in the upper half of first * 2^(attempt-1), so that
  // a thousand clients of one server do not come back in one moment.
  Duration delay_before(unsigned attempt, Random& random) const {
    int64_t whole = first.nanoseconds();
    for (unsigned i = 1; i < attempt && whole < most.nanoseconds(); ++i) whole *= 2;
    if (whole > most.nanoseconds()) whole = most.nanoseconds();
    int64_t half = whole / 2;
    return Duration::from_nanoseconds(
        half + static_cast<int64_t>(random.below(static_cast<uint64_t>(whole - half) + 1)));
  }
};

}  // namespace tram::base
