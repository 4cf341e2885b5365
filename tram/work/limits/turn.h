// Units that wait for their turn at a limit, and the line they stand in: first come, first served.
//
// Whoever serves the line takes a unit out and stores its result under the line's lock, and calls
// end() when that is free again. A unit that is cancelled meanwhile leaves the line by itself.
//
// Threads: any.
#pragma once

#include <memory>
#include <mutex>

#include "tram/work/unit.h"

namespace tram::work {

struct Turn : base::Link<Turn> {
  Turn(UnitBase& of, uint64_t how_much, base::Time by) : unit(of), count(how_much), latest(by) {}
  UnitBase& unit;
  const uint64_t count;     // Of whatever is waited for.
  const base::Time latest;  // Whoever knows that its turn comes later than this says so at once.
};
using Turns = base::IntrusiveList<Turn, Turn>;

class TurnLine {
 public:
  virtual ~TurnLine() = default;

  std::mutex mutex;
  Turns turns;  // Guarded by mutex.
  // Takes the first out: true if it is the caller's to give a result to, and then to end(). False
  // if it is being cancelled: it is gone. Under the lock.
  bool take(Turn& turn) {
    turns.erase(turn);
    left(turn);
    if (turn.unit.claim()) return true;
    // Whoever cancels it holds it still.
    turn.unit.release();
    return false;
  }
  // Of one that gives up, so that another's turn may come sooner. Under the lock.
  void leave(Turn& turn) {
    turns.erase(turn);
    left(turn);
    gave_up();
  }

 protected:
  // It is in the line no more. Under the lock.
  virtual void left(Turn& turn) = 0;
  virtual void gave_up() = 0;
};

template <class T>
class TurnUnit final : public TypedUnit<T>, public Outside, public Turn {
 public:
  // Not in the line yet: its maker puts it there, or gives it a result and calls end().
  static TurnUnit& make(ScopeCore& scope, std::shared_ptr<TurnLine> line, uint64_t count,
                        base::Time latest) {
    auto& unit =
        *new (UnitMemory::take(sizeof(TurnUnit))) TurnUnit(scope, std::move(line), count, latest);
    scope.begun();
    return unit;
  }
  // Once it is in the line, and without its lock. It may have had its turn already.
  void wait() {
    ScopeCore& scope = this->scope();
    if (!scope.add_outside(*this)) this->cancel(scope.stop_error());
    // Served before it was in the list: nobody else would take it out.
    if (this->is_claimed()) scope.remove_outside(*this);
  }
  // In place of entering the line.
  template <class... Args>
  void end_with(Args&&... args) {
    TRAM_ASSERT(this->claim());
    this->store(std::forward<Args>(args)...);
    end();
  }
  // After take() and store(), without the lock. It may be gone when this returns.
  void end() {
    this->scope().remove_outside(*this);
    this->finish();
    this->release();
  }

 private:
  TurnUnit(ScopeCore& scope, std::shared_ptr<TurnLine> line, uint64_t how_much, base::Time by)
      : TypedUnit<T>(operations, scope, nullptr, std::source_location()),
        Outside(static_cast<UnitBase&>(*this)),
        Turn(static_cast<UnitBase&>(*this), how_much, by),
        line_(std::move(line)) {}
  static void fail(UnitBase& unit, Error error) {
    auto& self = static_cast<TurnUnit&>(unit);
    self.scope().remove_outside(self);
    bool was_in_line = self.leave();
    TypedUnit<T>::fail_with(self, std::move(error));
    if (was_in_line) self.release();
  }
  bool leave() {
    std::lock_guard lock(line_->mutex);
    if (!static_cast<base::Link<Turn>&>(*this).linked()) return false;
    line_->leave(*this);
    return true;
  }
  static void destroy(UnitBase& unit) {
    auto& self = static_cast<TurnUnit&>(unit);
    self.~TurnUnit();
    UnitMemory::give_back(&self, sizeof(TurnUnit));
  }
  static constexpr UnitOps operations{{&UnitBase::run},
                                      nullptr,
                                      nullptr,
                                      &fail,
                                      &TypedUnit<T>::error_of,
                                      [](UnitBase&, Visitor&) {},
                                      &destroy,
                                      [] { return std::string_view("turn"); }};

  std::shared_ptr<TurnLine> line_;
};

// Ends those of `turns`, which were taken and have their results.
template <class T>
void end_all(Turns& turns) {
  while (!turns.empty()) static_cast<TurnUnit<T>&>(turns.pop_front()).end();
}

}  // namespace tram::work
