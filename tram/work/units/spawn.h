// How Spawner makes units, and how their bodies are called. Included by scope.h.
#pragma once

#include "tram/work/scope.h"

namespace tram::work {

template <class F, class... As>
void BodyUnit<F, As...>::call() {
  auto passed =
      std::apply([](auto&... each) { return std::tuple_cat(each.pass()...); }, body_.arguments);
  auto run = [&]() -> decltype(auto) {
    // The one copy that a coroutine may keep references to.
    auto&& values = [&]() -> auto&& {
      if constexpr (KeepsBody<Return>)
        return passed_.values.emplace(std::move(passed));
      else
        return passed;
    }();
    if constexpr (How::with_context)
      return std::apply(
          [&](auto&&... each) -> decltype(auto) {
            return std::invoke(std::move(body_.call), std::forward<decltype(each)>(each)...,
                               Context(*this));
          },
          std::move(values));
    else
      return std::apply(std::move(body_.call), std::move(values));
  };
  if constexpr (Returned<Return>::ends_later) {
    Returned<Return>::hold_up(run(), *this, kept_.value);
  } else if constexpr (std::is_void_v<Return>) {
    run();
    this->store();
  } else {
    this->store(run());
  }
}

template <class F, class... As>
void BodyUnit<F, As...>::invoke(UnitBase& unit) {
  auto& self = static_cast<BodyUnit&>(unit);
  const UnitBase* failed = nullptr;
  std::apply([&](auto&... each) { ((failed = failed != nullptr ? failed : each.failed()), ...); },
             self.body_.arguments);
  if (failed != nullptr) {
    Base::fail_with(self, because_of(*failed));
  } else if (!(is_settled<As> || ...) && self.scope().stopped()) {
    Base::fail_with(self, self.scope().stop_error());
  } else {
    RunningUnit running(self);
    try {
      self.call();
    } catch (...) {
      Base::fail_with(self,
                      Error::from_exception(std::current_exception()).in(self.name(), self.at()));
    }
  }
  if constexpr (!KeepsBody<Return>) self.drop_body();
}

// A body that takes a Result<T> const& for every Unit<T> decides for itself about failures. Asked
// only of bodies with one signature: a generic lambda could take anything, and is given values.
template <class A>
struct Decided {
  using Type = A;
};
template <class T>
struct Decided<Unit<T>> {
  using Type = SettledOne<T>;
};
template <class F>
concept HasOneSignature = std::is_pointer_v<F> || requires { &F::operator(); };
template <class F, class... As>
constexpr bool decides() {
  if constexpr (HasOneSignature<F> &&
                !std::same_as<std::tuple<As...>, std::tuple<typename Decided<As>::Type...>>)
    return Call<F, typename Decided<As>::Type...>::possible;
  else
    return false;
}

template <class F, class... As>
auto Spawner::make(const char* name, std::source_location at, F&& body, As... arguments) const {
  using Body = std::decay_t<F>;
  using How = Call<Body, AsValue<As>...>;
  static_assert(
      How::possible,
      "spawn(body, arguments...): the body cannot be called with these arguments, each as "
      "an rvalue, with or without a Context after them. For results of units, see "
      "spawn_after.");
  if constexpr (How::possible) {
    auto& unit = BodyUnit<Body, AsValue<As>...>::make(*core_, name, at, Body(std::forward<F>(body)),
                                                      AsValue<As>{std::move(arguments)}...);
    return Unit<typename BodyUnit<Body, AsValue<As>...>::Value>(&unit);
  }
}

template <class F, class... As>
auto Spawner::make_after(const char* name, std::source_location at, F&& body,
                         As... arguments) const {
  using Body = std::decay_t<F>;
  static_assert((Argument<As>::waits || ...),
                "spawn_after(body, arguments...): none of the arguments is a unit, all(...), "
                "any(...) or settled(...). To run it now, use spawn.");
  if constexpr (decides<Body, As...>()) {
    using Made = BodyUnit<Body, typename Decided<As>::Type...>;
    auto& unit = Made::make(*core_, name, at, Body(std::forward<F>(body)),
                            typename Decided<As>::Type{std::move(arguments)}...);
    return Unit<typename Made::Value>(&unit);
  } else {
    using How = Call<Body, As...>;
    static_assert(How::possible,
                  "spawn_after(body, arguments...): the body can be called neither with the values "
                  "(T const& for each Unit<T>, nothing for a Unit<void>, std::vector<T> for all()) "
                  "nor with the results (Result<T> const& for each Unit<T>), with or without a "
                  "Context after them.");
    if constexpr (How::possible) {
      auto& unit = BodyUnit<Body, As...>::make(*core_, name, at, Body(std::forward<F>(body)),
                                               std::move(arguments)...);
      return Unit<typename BodyUnit<Body, As...>::Value>(&unit);
    }
  }
}

}  // namespace tram::work
