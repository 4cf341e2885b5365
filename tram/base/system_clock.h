// The machine's clock: the only file in the tree that asks it.
#pragma once

#include "tram/base/clock.h"

namespace tram::base {

class SystemClock final : public Clock {
 public:
  Time now() const override;
  int64_t wall_nanoseconds() const override;
};

}  // namespace tram::base
