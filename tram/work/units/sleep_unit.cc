#include "tram/work/units/typed_unit.h"

namespace tram::work {

const UnitOps SleepUnit::operations{{&UnitBase::run},
                                    nullptr,
                                    nullptr,
                                    &fail,
                                    &TypedUnit<void>::error_of,
                                    [](UnitBase&, Visitor&) {},
                                    &destroy,
                                    [] { return std::string_view("sleep"); }};

SleepUnit::SleepUnit(ScopeCore& scope)
    : TypedUnit<void>(operations, scope, nullptr, std::source_location()),
      Outside(static_cast<UnitBase&>(*this)),
      Timer(&wake_up) {}

SleepUnit& SleepUnit::make(ScopeCore& scope, base::Time until) {
  auto& unit = *new (UnitMemory::take(sizeof(SleepUnit))) SleepUnit(scope);
  scope.begun();
  if (until == base::Time::never()) {
    // It ends only with its scope.
    unit.release();
    if (!scope.add_outside(unit)) unit.cancel(scope.stop_error());
    return unit;
  }
  // The timer first: once in the list it may be cancelled, and then its timer is to be there.
  unit.hold();
  scope.scheduler().start(unit, until);
  if (!scope.add_outside(unit)) unit.cancel(scope.stop_error());
  // Fired before it was in the list: nobody else would take it out.
  if (unit.is_claimed()) scope.remove_outside(unit);
  unit.release();
  return unit;
}

void SleepUnit::wake_up(Timer& timer) {
  auto& self = static_cast<SleepUnit&>(timer);
  if (self.claim()) {
    self.scope().remove_outside(self);
    self.store();
    self.finish();
  }
  self.release();
}

void SleepUnit::fail(UnitBase& unit, Error error) {
  auto& self = static_cast<SleepUnit&>(unit);
  self.scope().remove_outside(self);
  if (self.scope().scheduler().stop(self)) self.release();
  TypedUnit<void>::fail_with(self, std::move(error));
}

void SleepUnit::destroy(UnitBase& unit) {
  auto& self = static_cast<SleepUnit&>(unit);
  self.~SleepUnit();
  UnitMemory::give_back(&self, sizeof(SleepUnit));
}

}  // namespace tram::work
