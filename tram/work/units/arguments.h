// What a unit is spawned with: values, which it keeps, and units that it waits for, whose results
// it is given. Each Argument<A> says how many it waits for, and what the body is passed.
#pragma once

#include <deque>
#include <tuple>
#include <vector>

#include "tram/work/unit.h"

namespace tram::work {

// A dependency's place in the list of what waits for it.
struct Edge : Waiter {
  Edge() : Waiter(&ended) {}
  static void ended(Waiter& waiter, UnitBase&, RunnableList& ready) {
    static_cast<Edge&>(waiter).waiting->one_ended(ready);
  }
  // False if it is done already: then it will not say so.
  bool attach(UnitBase& unit, UnitBase& dependency) {
    waiting = &unit;
    return dependency.add_waiter(*this);
  }
  UnitBase* waiting = nullptr;
};

// all(units): the body is passed std::vector<T>, or nothing if T is void.
template <class T>
struct All {
  std::vector<Unit<T>> units;
};
// any(units): the body is passed the T of the first that succeeds. Fails when all have failed. Of
// no units, any() throws.
template <class T>
struct Any {
  std::vector<Unit<T>> units;
};
// settled(units), settled(unit): the body is passed std::vector<Result<T>>, or one Result<T>
// const&, and decides. What fails does not stop the scope.
template <class T>
struct Settled {
  std::vector<Unit<T>> units;
};
template <class T>
struct SettledOne {
  Unit<T> unit;
};

template <class T>
All<T> all(std::vector<Unit<T>> units) {
  return {std::move(units)};
}
template <class T, class... More>
  requires(std::same_as<Unit<T>, std::decay_t<More>> && ...)
All<T> all(Unit<T> first, More... more) {
  return {{std::move(first), std::move(more)...}};
}
template <class T>
Any<T> any(std::vector<Unit<T>> units) {
  if (units.empty()) throw Failure(Error(Errc::missing_result, "any() of no units"));
  return {std::move(units)};
}
template <class T, class... More>
  requires(std::same_as<Unit<T>, std::decay_t<More>> && ...)
Any<T> any(Unit<T> first, More... more) {
  return {{std::move(first), std::move(more)...}};
}
template <class T>
Settled<T> settled(std::vector<Unit<T>> units) {
  return {std::move(units)};
}
template <class T>
SettledOne<T> settled(Unit<T> unit) {
  return {std::move(unit)};
}

template <class A>
constexpr bool is_settled = false;
template <class T>
constexpr bool is_settled<Settled<T>> = true;
template <class T>
constexpr bool is_settled<SettledOne<T>> = true;

// A value: moved into the unit, and from there into the body.
template <class A>
struct Argument {
  static constexpr bool waits = false;
  explicit Argument(A given) : value(std::move(given)) {}
  bool attach(UnitBase&) { return false; }
  const UnitBase* failed() const { return nullptr; }
  void visit(Visitor&) const {}
  std::tuple<A&&> pass() { return std::tuple<A&&>(std::move(value)); }
  A value;
};

// What is given to spawn(), where a unit is a value like any other.
template <class A>
struct AsValue {
  A value;
};
template <class A>
struct Argument<AsValue<A>> {
  static constexpr bool waits = false;
  // NOLINTNEXTLINE(performance-unnecessary-value-param): moved from, unless A is trivial.
  explicit Argument(AsValue<A> given) : value(std::move(given.value)) {}
  bool attach(UnitBase&) { return false; }
  const UnitBase* failed() const { return nullptr; }
  void visit(Visitor&) const {}
  std::tuple<A&&> pass() { return std::tuple<A&&>(std::move(value)); }
  [[no_unique_address]] A value;
};

template <class T>
struct Argument<Unit<T>> {
  static constexpr bool waits = true;
  explicit Argument(Unit<T> given) : unit(std::move(given)) {}
  bool attach(UnitBase& self) { return edge.attach(self, unit.base()); }
  const UnitBase* failed() const { return unit.base().error() != nullptr ? &unit.base() : nullptr; }
  void visit(Visitor& visitor) const { visitor.visit(unit.base()); }
  auto pass() {
    if constexpr (std::is_void_v<T>)
      return std::tuple<>();
    else
      return std::tuple<const T&>(*unit.result());
  }
  Unit<T> unit;
  Edge edge;
};

template <class T>
struct Argument<SettledOne<T>> {
  static constexpr bool waits = true;
  explicit Argument(SettledOne<T> given) : unit(std::move(given.unit)) {}
  bool attach(UnitBase& self) { return edge.attach(self, unit.base()); }
  const UnitBase* failed() const { return nullptr; }
  void visit(Visitor& visitor) const { visitor.visit(unit.base()); }
  auto pass() { return std::tuple<const Result<T>&>(unit.result()); }
  Unit<T> unit;
  Edge edge;
};

// Waits for one of them at a time, from the first on: those that ended meanwhile cost a look, and
// no exchange with whoever ends them. A worker runs the last spawned first, so mostly the first to
// be waited for is the last to end.
template <class T>
struct ManyUnits : private Waiter {
  static constexpr bool waits = true;
  explicit ManyUnits(std::vector<Unit<T>> given) : Waiter(&one_done), units(std::move(given)) {}
  bool attach(UnitBase& self) {
    waiting_ = &self;
    return wait_for_next();
  }
  void visit(Visitor& visitor) const {
    for (const Unit<T>& unit : units) visitor.visit(unit.base());
  }
  std::vector<Unit<T>> units;

 private:
  static void one_done(Waiter& waiter, UnitBase&, RunnableList& ready) {
    auto& self = static_cast<ManyUnits&>(waiter);
    if (!self.wait_for_next()) self.waiting_->one_ended(ready);
  }
  // False if none is left. After true this may be gone.
  bool wait_for_next() {
    while (next_unit_ < units.size())
      if (units[next_unit_++].base().add_waiter(*this)) return true;
    return false;
  }
  UnitBase* waiting_ = nullptr;
  size_t next_unit_ = 0;
};

template <class T>
struct Argument<All<T>> : ManyUnits<T> {
  explicit Argument(All<T> given) : ManyUnits<T>(std::move(given.units)) {}
  const UnitBase* failed() const {
    for (const Unit<T>& unit : this->units)
      if (unit.base().error() != nullptr) return &unit.base();
    return nullptr;
  }
  auto pass() {
    if constexpr (std::is_void_v<T>) {
      return std::tuple<>();
    } else {
      std::vector<T> values;
      values.reserve(this->units.size());
      for (Unit<T>& unit : this->units) values.push_back(std::move(*unit.give_up()));
      return std::tuple<std::vector<T>>(std::move(values));
    }
  }
};

template <class T>
struct Argument<Settled<T>> : ManyUnits<T> {
  explicit Argument(Settled<T> given) : ManyUnits<T>(std::move(given.units)) {}
  const UnitBase* failed() const { return nullptr; }
  auto pass() {
    std::vector<Result<T>> results;
    results.reserve(this->units.size());
    for (Unit<T>& unit : this->units) results.push_back(unit.give_up());
    return std::tuple<std::vector<Result<T>>>(std::move(results));
  }
};

// Waits for the first success, or for all. Its edges outlive it: those that end later find the
// shared part, which the last of them frees.
template <class T>
struct Argument<Any<T>> {
  static constexpr bool waits = true;
  struct Race {
    struct Lane : Waiter {
      Lane() : Waiter(&ended) {}
      static void ended(Waiter& waiter, UnitBase& done, RunnableList& ready) {
        auto& lane = static_cast<Lane&>(waiter);
        Race& race = *lane.race;
        bool last = race.running.fetch_sub(1, std::memory_order_acq_rel) == 1;
        if (done.error() == nullptr || last) race.end(done, ready);
        race.let_go();
      }
      Race* race = nullptr;
    };
    void end(UnitBase& done, RunnableList& ready) {
      if (over.exchange(true, std::memory_order_acq_rel)) return;
      winner = &done;
      waiting->one_ended(ready);
    }
    void let_go() {
      if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
    std::vector<Unit<T>> units;
    std::deque<Lane> lanes;
    UnitBase* waiting = nullptr;
    UnitBase* winner = nullptr;
    std::atomic<size_t> running;
    std::atomic<size_t> holders;
    std::atomic<bool> over = false;
  };
  explicit Argument(Any<T> given) : race(new Race) {
    race->units = std::move(given.units);
    race->lanes.resize(race->units.size());
    race->running = race->units.size();
    race->holders = race->units.size() + 1;
  }
  Argument(const Argument&) = delete;
  Argument& operator=(const Argument&) = delete;
  ~Argument() { race->let_go(); }
  bool attach(UnitBase& self) {
    race->waiting = &self;
    // This cannot be the last that the unit waits for: start() is yet to come.
    RunnableList none;
    for (size_t i = 0; i < race->units.size(); ++i) {
      race->lanes[i].race = race;
      if (!race->units[i].base().add_waiter(race->lanes[i]))
        Race::Lane::ended(race->lanes[i], race->units[i].base(), none);
    }
    return true;
  }
  const UnitBase* failed() const {
    return race->winner != nullptr && race->winner->error() != nullptr ? race->winner : nullptr;
  }
  void visit(Visitor& visitor) const {
    // While two may still succeed, waiting for one of them in a circle is no deadlock.
    if (race->running.load() > 1) return visitor.undecided();
    for (const Unit<T>& unit : race->units) visitor.visit(unit.base());
  }
  auto pass() {
    if constexpr (std::is_void_v<T>)
      return std::tuple<>();
    else
      return std::tuple<const T&>(*static_cast<TypedUnit<T>*>(race->winner)->result());
  }
  Race* race;
};

}  // namespace tram::work
