// A wait on a condition for at most so long, where that may be for ever.
#pragma once

#include <condition_variable>
#include <mutex>

#include "tram/base/time.h"

namespace tram::net {

// Whether it is `ready`. The lock is held when it returns.
template <class Ready>
bool wait_at_most(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                  base::Duration wait_max, Ready ready) {
  // For ever, added to the time, would be in the past.
  if (wait_max < base::Duration(std::chrono::hours(24 * 365)))
    return condition.wait_for(lock, wait_max.chrono(), ready);
  condition.wait(lock, ready);
  return true;
}

}  // namespace tram::net
