// What `co_await` makes of a unit, of several, and of yield(): see task.h. Each lives in the frame
// of the coroutine for as long as that waits.
#pragma once

#include "tram/work/tasks/task_run.h"
#include "tram/work/units/arguments.h"

namespace tram::work {

struct Yield {};
// co_await yield(): whatever is ready to run has its turn first.
inline Yield yield() { return {}; }

template <class T>
class Task;
template <class T>
class AwaitTask;

class AwaitYield {
 public:
  explicit AwaitYield(TaskRun& run) : run_(run) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> at) { run_.yield(at); }
  void await_resume() const { run_.check(); }

 private:
  TaskRun& run_;
};

// One unit, kept or only looked at: a named unit outlives the wait for it.
template <class T, bool kept>
class AwaitUnit {
 public:
  using Given =
      std::conditional_t<kept || std::is_void_v<T>, T, std::add_lvalue_reference_t<const T>>;
  AwaitUnit(TaskRun& run, const Unit<T>& unit)
    requires(!kept)
      : run_(run), unit_(&unit.base()) {}
  AwaitUnit(TaskRun& run, Unit<T>&& unit)
    requires kept
      : run_(run), unit_(std::move(unit)) {}
  bool await_ready() { return base().done() && run_.may_go_on(); }
  bool await_suspend(std::coroutine_handle<> at) {
    AwaitBlock& block = run_.make_block(1, false);
    block.set_unit(0, base());
    return run_.suspend(at, block);
  }
  Given await_resume() {
    run_.resumed();
    Result<T>& result = base().result();
    if (!result.has_value()) result.error().raise();
    if constexpr (std::is_void_v<T>)
      return;
    else if constexpr (kept)
      return std::move(*unit_.give_up());
    else
      return *result;
  }

 private:
  TypedUnit<T>& base() const {
    if constexpr (kept)
      return unit_.base();
    else
      return *unit_;
  }
  TaskRun& run_;
  std::conditional_t<kept, Unit<T>, TypedUnit<T>*> unit_;
};

template <class T>
class AwaitResult {
 public:
  AwaitResult(TaskRun& run, Unit<T>&& unit) : run_(run), unit_(std::move(unit)) {}
  bool await_ready() { return unit_.done() && run_.may_go_on(); }
  bool await_suspend(std::coroutine_handle<> at) {
    AwaitBlock& block = run_.make_block(1, false);
    block.set_unit(0, unit_.base());
    return run_.suspend(at, block);
  }
  Result<T> await_resume() {
    std::optional<Error> why = run_.told_otherwise();
    if (!unit_.done()) return std::unexpected(std::move(*why));
    return unit_.give_up();
  }

 private:
  TaskRun& run_;
  Unit<T> unit_;
};

template <class T>
class AwaitMany {
 public:
  AwaitMany(TaskRun& run, std::vector<Unit<T>>&& units) : run_(run), units_(std::move(units)) {}
  bool await_ready() {
    for (const Unit<T>& unit : units_)
      if (!unit.done()) return false;
    return run_.may_go_on();
  }
  bool await_suspend(std::coroutine_handle<> at) { return suspend(at, false); }

 protected:
  bool suspend(std::coroutine_handle<> at, bool any) {
    AwaitBlock& block = run_.make_block(static_cast<uint32_t>(units_.size()), any);
    for (uint32_t i = 0; i < units_.size(); ++i) block.set_unit(i, units_[i].base());
    return run_.suspend(at, block);
  }
  TaskRun& run_;
  std::vector<Unit<T>> units_;
};

template <class T>
class AwaitAll : public AwaitMany<T> {
 public:
  using AwaitMany<T>::AwaitMany;
  auto await_resume() {
    this->run_.resumed();
    for (const Unit<T>& unit : this->units_)
      if (const Error* error = unit.base().error(); error != nullptr) error->raise();
    if constexpr (!std::is_void_v<T>) {
      std::vector<T> values;
      values.reserve(this->units_.size());
      for (Unit<T>& unit : this->units_) values.push_back(std::move(*unit.give_up()));
      return values;
    }
  }
};

template <class T>
class AwaitSettled : public AwaitMany<T> {
 public:
  using AwaitMany<T>::AwaitMany;
  std::vector<Result<T>> await_resume() {
    std::optional<Error> why = this->run_.told_otherwise();
    std::vector<Result<T>> results;
    results.reserve(this->units_.size());
    for (Unit<T>& unit : this->units_)
      results.push_back(unit.done() ? unit.give_up() : Result<T>(std::unexpected(*why)));
    return results;
  }
};

template <class T>
class AwaitAny : public AwaitMany<T> {
 public:
  using AwaitMany<T>::AwaitMany;
  // Never: the block knows who was first.
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> at) { return this->suspend(at, true); }
  T await_resume() {
    UnitBase* winner = this->run_.resumed();
    if (winner == nullptr) this->units_.front().base().error()->raise();
    if constexpr (!std::is_void_v<T>) {
      size_t first = 0;
      while (&this->units_[first].base() != winner) ++first;
      return std::move(*this->units_[first].give_up());
    }
  }
};

}  // namespace tram::work
