#include "tram/base/system_clock.h"

#include <chrono>

namespace tram::base {

Time SystemClock::now() const {
  return Time::from_nanoseconds(std::chrono::steady_clock::now().time_since_epoch() /
                                std::chrono::nanoseconds(1));
}

int64_t SystemClock::wall_nanoseconds() const {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace tram::base
