// Unit<T>: work that was spawned, and what it gives.
//
// A handle, one pointer wide: copies mean the same unit. The unit ends whether or not anybody holds
// it, and its result lives as long as a handle does, also after its scope is gone.
//
// A unit that waits for others is a data structure, not a thread: about a hundred bytes.
//
// Threads: any; of one handle, one at a time.
#pragma once

#include <utility>

#include "tram/work/units/typed_unit.h"
#include "tram/work/units/wait.h"

namespace tram::work {

template <class T>
struct AsResult;

template <class T>
class Unit {
 public:
  using Value = T;

  Unit() = default;  // No unit: everything but assignment and valid() is a mistake.
  Unit(const Unit& other) : unit_(other.unit_) {
    if (unit_ != nullptr) unit_->hold();
  }
  Unit(Unit&& other) noexcept : unit_(std::exchange(other.unit_, nullptr)) {}
  Unit& operator=(Unit other) noexcept {
    std::swap(unit_, other.unit_);
    return *this;
  }
  ~Unit() {
    if (unit_ != nullptr) unit_->release();
  }

  bool valid() const { return unit_ != nullptr; }
  bool done() const { return unit_->done(); }
  std::string_view name() const { return unit_->name(); }

  // Waits until it is done. A plain thread sleeps. In a body, a unit that nobody has begun is run
  // at once, in place; otherwise another thread takes this one's place meanwhile, up to
  // Options::blocking_max. Better, where it can be: spawn_after, returning the unit, or co_await.
  // Fails with Errc::deadlock if the wait can be seen never to end: the unit waits, through others,
  // for this body, or no thread is left that could run it.
  Result<T> get() const&
    requires(std::is_void_v<T> || std::copy_constructible<T>)
  {
    if (std::optional<Error> never = wait_until_done(*unit_)) return std::unexpected(*never);
    return unit_->result();
  }
  // Of a handle that is given up, the value is moved out, if no other handle shares it.
  Result<T> get() && {
    if (std::optional<Error> never = wait_until_done(*unit_)) return std::unexpected(*never);
    return give_up();
  }
  // get(), but a failure is thrown: what the body threw, or a Failure.
  T value() const& {
    Result<T> result = get();
    if (!result) result.error().raise();
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  T value() && {
    Result<T> result = std::move(*this).get();
    if (!result) result.error().raise();
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  // Of a unit that is done: nothing is copied.
  const Result<T>& result() const {
    TRAM_ASSERT(done());
    return unit_->result();
  }

  // In a coroutine, `co_await unit.as_result()` gives the Result and throws nothing: see task.h.
  AsResult<T> as_result() const& { return AsResult<T>(*this); }
  AsResult<T> as_result() && { return AsResult<T>(std::move(*this)); }

  // Not begun yet: it is done with Errc::cancelled, at once. Running: Context::stopped() says so,
  // and a coroutine that waits is told by what it awaits.
  void cancel() { unit_->cancel(); }

  // Makes it wait for `dependency` too, whatever state that is in: before its body, if that has not
  // begun; otherwise its end waits. If the dependency fails, so does this unit. Fails with
  // Errc::closed if this unit is done.
  template <class U>
  Result<void> after(const Unit<U>& dependency) {
    if (!unit_->expect_late())
      return failure(Errc::closed, "a unit that is done cannot wait any more");
    HoldUp::attach(*unit_, dependency.base(), true);
    return {};
  }

  // For the parts of this library.
  explicit Unit(TypedUnit<T>* adopted) : unit_(adopted) {}
  TypedUnit<T>& base() const { return *unit_; }
  // Of a unit that is done.
  Result<T> give_up() {
    // The scheduler may still hold it for a moment; then the value is copied where it can be.
    if constexpr (std::is_void_v<T>) {
      return unit_->result();
    } else if constexpr (std::copy_constructible<T>) {
      return unit_->held_once() ? std::move(unit_->result()) : unit_->result();
    } else {
      return std::move(unit_->result());
    }
  }

 private:
  TypedUnit<T>* unit_ = nullptr;
};

template <class T>
struct AsResult {
  explicit AsResult(Unit<T> of) : unit(std::move(of)) {}
  Unit<T> unit;
};
// The other end of an external unit. Whoever gets it owes the result; dropped without one, the unit
// ends with Errc::cancelled, so nothing waits for ever.
//
// Threads: any, one at a time.
template <class T>
class Promise {
 public:
  Promise() = default;
  explicit Promise(ExternalUnit<T>* adopted) : unit_(adopted) {}
  Promise(Promise&& other) noexcept : unit_(std::exchange(other.unit_, nullptr)) {}
  Promise& operator=(Promise&& other) noexcept {
    Promise dying(std::exchange(unit_, std::exchange(other.unit_, nullptr)));
    return *this;
  }
  ~Promise() {
    if (unit_ == nullptr) return;
    unit_->end(std::unexpected(Error(Errc::cancelled)));
    unit_->release();
  }

  // False if it is over already: it was given a result, or was cancelled, or its scope stopped.
  template <class... Args>
  bool set_value(Args&&... args) {
    return unit_->end(std::in_place, std::forward<Args>(args)...);
  }
  bool set_error(Error error) { return unit_->end(std::unexpected(std::move(error))); }
  bool set_result(Result<T> result) { return unit_->end(std::move(result)); }
  // Nobody waits for it any more: see set_value.
  bool over() const { return unit_->is_claimed(); }

 private:
  ExternalUnit<T>* unit_ = nullptr;
};

}  // namespace tram::work
