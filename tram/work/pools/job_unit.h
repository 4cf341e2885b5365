// What a body of a pool or a pipeline is in the eyes of the scope that it runs in: so that it can
// be given a Context, spawn units, wait for them, and be named. It is never scheduled: whoever
// makes it runs the body.
#pragma once

#include "tram/work/scope.h"
#include "tram/work/units/typed_unit.h"
#include "tram/work/units/wait.h"

namespace tram::work {

class JobUnit final : public TypedUnit<void> {
 public:
  // The one whose body this thread runs, as long as that body runs no unit in its place.
  static JobUnit* running() {
    UnitBase* unit = running_unit();
    return unit != nullptr && &unit->ops() == &operations ? static_cast<JobUnit*>(unit) : nullptr;
  }

 private:
  friend class JobFrame;
  JobUnit(ScopeCore& scope, const char* name, std::source_location at, const void* whose)
      : TypedUnit<void>(operations, scope, name, at), of_(whose) {}
  static void destroy(UnitBase& unit) {
    auto& self = static_cast<JobUnit&>(unit);
    self.~JobUnit();
    UnitMemory::give_back(&self, sizeof(JobUnit));
  }
  static const UnitOps operations;

  const void* const of_;

 public:
  // Which run it belongs to.
  const void* of() const { return of_; }
};

// While it lives, this thread runs bodies of `whose` in this scope.
class JobFrame {
 public:
  JobFrame(ScopeCore& scope, const char* name, std::source_location at, const void* whose)
      : unit_(*new(UnitMemory::take(sizeof(JobUnit))) JobUnit(scope, name, at, whose)),
        running_(unit_) {}
  ~JobFrame() {
    // The handle that nobody has, and the scheduler, which never sees it.
    unit_.release();
    unit_.release();
  }
  Context context() const { return Context(unit_); }

 private:
  JobUnit& unit_;
  RunningUnit running_;
};

}  // namespace tram::work
