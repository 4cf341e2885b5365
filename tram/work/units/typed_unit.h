// A unit with its result, and the units that have no body: those the world outside ends.
#pragma once

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "tram/work/scheduler/unit_memory.h"
#include "tram/work/units/scope_core.h"

namespace tram::work {

// "Invoice (*)(Order)": the name of type T as the compiler writes it.
template <class T>
std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  size_t start = text.find("T = ");
  if (start == std::string_view::npos) return text;
  start += 4;
  // GCC lists T among others, ended by ';'; clang ends it with ']'.
  size_t end = text.find("; std::string_view", start);
  if (end == std::string_view::npos) end = text.rfind(']');
  return text.substr(start, end - start);
}

template <class T>
class TypedUnit : public UnitBase {
 public:
  using UnitBase::UnitBase;

  // Of a unit that is done.
  Result<T>& result() { return *std::launder(reinterpret_cast<Result<T>*>(storage_)); }
  const Result<T>& result() const {
    return *std::launder(reinterpret_cast<const Result<T>*>(storage_));
  }
  // Once, by who claimed it.
  template <class... Args>
  void store(Args&&... args) {
    new (storage_) Result<T>(std::forward<Args>(args)...);
    stored_ = true;
  }

 protected:
  ~TypedUnit() { clear(); }
  static void fail_with(UnitBase& unit, Error error) {
    auto& self = static_cast<TypedUnit&>(unit);
    self.clear();
    self.store(std::unexpected(std::move(error)));
  }
  static const Error* error_of(const UnitBase& unit) {
    auto& self = static_cast<const TypedUnit&>(unit);
    return !self.stored_ || self.result().has_value() ? nullptr : &self.result().error();
  }

 private:
  void clear() {
    if (std::exchange(stored_, false)) result().~Result<T>();
  }
  bool stored_ = false;
  alignas(Result<T>) std::byte storage_[sizeof(Result<T>)];
};

// Made by Scope::external(). Its promise holds it in the scheduler's stead.
template <class T>
class ExternalUnit final : public TypedUnit<T>, public Outside {
 public:
  static ExternalUnit& make(ScopeCore& scope, const char* name, std::source_location at) {
    auto& unit = *new (UnitMemory::take(sizeof(ExternalUnit))) ExternalUnit(scope, name, at);
    scope.begun();
    if (!scope.add_outside(unit)) unit.cancel(scope.stop_error());
    return unit;
  }
  // False if it is over already.
  template <class... Args>
  bool end(Args&&... args) {
    if (!this->claim()) return false;
    this->scope().remove_outside(*this);
    this->store(std::forward<Args>(args)...);
    this->finish();
    return true;
  }

 private:
  ExternalUnit(ScopeCore& scope, const char* name, std::source_location at)
      : TypedUnit<T>(operations, scope, name, at), Outside(static_cast<UnitBase&>(*this)) {}
  static void destroy(UnitBase& unit) {
    auto& self = static_cast<ExternalUnit&>(unit);
    self.~ExternalUnit();
    UnitMemory::give_back(&self, sizeof(ExternalUnit));
  }
  static void fail(UnitBase& unit, Error error) {
    auto& self = static_cast<ExternalUnit&>(unit);
    self.scope().remove_outside(self);
    TypedUnit<T>::fail_with(self, std::move(error));
  }
  static constexpr UnitOps operations{{&UnitBase::run},
                                      nullptr,
                                      nullptr,
                                      &fail,
                                      &TypedUnit<T>::error_of,
                                      [](UnitBase&, Visitor&) {},
                                      &destroy,
                                      [] { return std::string_view("external"); }};
};

// Made by Scope::sleep().
class SleepUnit final : public TypedUnit<void>, public Outside, private Timer {
 public:
  static SleepUnit& make(ScopeCore& scope, base::Time until);

 private:
  explicit SleepUnit(ScopeCore& scope);
  static void wake_up(Timer& timer);
  static void fail(UnitBase& unit, Error error);
  static void destroy(UnitBase& unit);
  static const UnitOps operations;
};

// What a body gives back: whether it is a value, a Result, or something that has yet to end. Others
// are made known by specializing it (see task.h): then `ends_later` is true, `Kept` is what the
// unit keeps meanwhile, `hold_up(returned, unit, kept)` calls unit.hold_up() and sees to it that
// one_ended() is called for it, and `conclude(unit, kept)` stores the result. If it also has
// `keeps_body`, the body and its arguments live until the unit is done, and there are
// `interrupt(kept)` and `visit_waits(kept, visitor)`: see UnitOps.
template <class R>
struct Returned {
  using Value = R;
  static constexpr bool ends_later = false;
};
template <class T>
struct Returned<Result<T>> {
  using Value = T;
  static constexpr bool ends_later = false;
};

}  // namespace tram::work
