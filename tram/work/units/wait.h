// How a thread waits for a unit.
#pragma once

#include <optional>

#include "tram/work/units/unit_base.h"

namespace tram::work {

// Until it is done; or, at once, why it never will be.
std::optional<Error> wait_until_done(UnitBase& unit);

// The unit whose body this thread runs, or nullptr. Kept by whoever runs bodies.
UnitBase* running_unit();
class RunningUnit {
 public:
  explicit RunningUnit(UnitBase& unit);
  ~RunningUnit();
  RunningUnit(const RunningUnit&) = delete;
  RunningUnit& operator=(const RunningUnit&) = delete;

 private:
  UnitBase* outer_;
};

}  // namespace tram::work
