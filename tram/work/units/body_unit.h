// A unit with a body: the callable, what it was spawned with, and how the body is called.
#pragma once

#include <optional>

#include "tram/work/units/arguments.h"

namespace tram::work {

class Context;

// A body that returned a unit: its end is that unit's end, and so is its result. Nobody waits.
template <class T>
struct Returned<Unit<T>> {
  using Value = T;
  static constexpr bool ends_later = true;
  struct Kept {
    Unit<T> inner;
  };
  static void hold_up(Unit<T>&& inner, TypedUnit<T>& unit, Kept& kept) {
    if (inner.done()) {
      unit.store(inner.give_up());
      return;
    }
    kept.inner = std::move(inner);
    unit.hold_up();
    HoldUp::attach(unit, kept.inner.base(), false);
  }
  static void conclude(TypedUnit<T>& unit, Kept& kept) {
    // Let go of in any case: of a broken circle, it may be this very unit.
    Unit<T> inner = std::move(kept.inner);
    if (inner.valid() && inner.done()) unit.store(inner.give_up());
  }
};

// What a body is called with: the arguments that each Argument passes, and a Context if it takes
// one.
template <class F, class... As>
struct Call {
  template <class Tuple>
  struct Check;
  template <class... Ps>
  struct Check<std::tuple<Ps...>> {
    static constexpr bool plain = std::is_invocable_v<F, Ps...>;
    static constexpr bool with_context = std::is_invocable_v<F, Ps..., Context>;
    static auto result() {
      if constexpr (with_context)
        return std::type_identity<std::invoke_result_t<F, Ps..., Context>>();
      else if constexpr (plain)
        return std::type_identity<std::invoke_result_t<F, Ps...>>();
      else
        return std::type_identity<void>();
    }
  };
  using Passed = decltype(std::tuple_cat(std::declval<Argument<As>&>().pass()...));
  static constexpr bool possible = Check<Passed>::plain || Check<Passed>::with_context;
  static constexpr bool with_context = Check<Passed>::with_context;
  using Return = std::remove_cvref_t<typename decltype(Check<Passed>::result())::type>;
};

template <class R, bool = Returned<R>::ends_later>
struct KeptOf {
  typename Returned<R>::Kept value;
};
template <class R>
struct KeptOf<R, false> {};

// What a body was called with, kept for as long as it lives.
template <class R>
concept KeepsBody = requires { Returned<R>::keeps_body; };
template <class R, class Passed>
struct PassedOf {};
template <KeepsBody R, class Passed>
struct PassedOf<R, Passed> {
  std::optional<Passed> values;
};

template <class F, class... As>
class BodyUnit final : public TypedUnit<typename Returned<typename Call<F, As...>::Return>::Value> {
 public:
  using How = Call<F, As...>;
  using Return = typename How::Return;
  using Value = typename Returned<Return>::Value;
  using Base = TypedUnit<Value>;

  static BodyUnit& make(ScopeCore& scope, const char* name, std::source_location at, F&& body,
                        As&&... arguments) {
    void* memory = UnitMemory::take(sizeof(BodyUnit));
    auto& unit = *new (memory) BodyUnit(scope, name, at, std::move(body), std::move(arguments)...);
    scope.begun();
    if constexpr ((Argument<As>::waits || ...)) {
      constexpr uint32_t waits = (uint32_t{Argument<As>::waits} + ...);
      unit.expect(waits);
      const uint32_t attached = std::apply(
          [&](auto&... each) { return (uint32_t{each.attach(unit)} + ...); }, unit.body_.arguments);
      unit.start(waits - attached);
    } else {
      unit.start();
    }
    return unit;
  }

 private:
  struct Body {
    explicit Body(F&& given, As&&... as) : call(std::move(given)), arguments(std::move(as)...) {}
    [[no_unique_address]] F call;
    [[no_unique_address]] std::tuple<Argument<As>...> arguments;
  };

  BodyUnit(ScopeCore& scope, const char* name, std::source_location at, F&& body, As&&... arguments)
      : Base(operations, scope, name, at), body_(std::move(body), std::move(arguments)...) {}
  ~BodyUnit() { drop_body(); }

  void drop_body() {
    if (!std::exchange(has_body_, false)) return;
    if constexpr (KeepsBody<Return>) passed_.values.reset();
    body_.~Body();
  }

  // In spawn.h, where Context is complete.
  static void invoke(UnitBase& unit);
  void call();

  static void conclude(UnitBase& unit) {
    if constexpr (Returned<Return>::ends_later) {
      auto& self = static_cast<BodyUnit&>(unit);
      Returned<Return>::conclude(self, self.kept_.value);
      if constexpr (KeepsBody<Return>) self.drop_body();
    }
  }
  static void visit(UnitBase& unit, Visitor& visitor) {
    std::apply([&](const auto&... each) { (each.visit(visitor), ...); },
               static_cast<BodyUnit&>(unit).body_.arguments);
  }
  static void interrupt(UnitBase& unit) {
    if constexpr (KeepsBody<Return>)
      Returned<Return>::interrupt(static_cast<BodyUnit&>(unit).kept_.value);
  }
  static void visit_waits(UnitBase& unit, Visitor& visitor) {
    if constexpr (KeepsBody<Return>)
      Returned<Return>::visit_waits(static_cast<BodyUnit&>(unit).kept_.value, visitor);
  }
  static void destroy(UnitBase& unit) {
    auto& self = static_cast<BodyUnit&>(unit);
    self.~BodyUnit();
    UnitMemory::give_back(&self, sizeof(BodyUnit));
  }
  static constexpr UnitOps operations{{&UnitBase::run},
                                      &BodyUnit::invoke,
                                      Returned<Return>::ends_later ? &BodyUnit::conclude : nullptr,
                                      &Base::fail_with,
                                      &Base::error_of,
                                      &BodyUnit::visit,
                                      &BodyUnit::destroy,
                                      &type_name<F>,
                                      KeepsBody<Return> ? &BodyUnit::interrupt : nullptr,
                                      KeepsBody<Return> ? &BodyUnit::visit_waits : nullptr};

  bool has_body_ = true;
  [[no_unique_address]] KeptOf<Return> kept_;
  [[no_unique_address]] PassedOf<Return, typename How::Passed> passed_;
  // Destroyed as soon as it has run (or what it returned has, if that needs it), so that what it
  // held is let go of.
  union {
    Body body_;  // NOLINT(readability-identifier-naming): private, but for the checker.
  };
};

}  // namespace tram::work
