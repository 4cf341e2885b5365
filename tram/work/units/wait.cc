#include "tram/work/units/wait.h"

#include <memory>

#include "tram/work/units/scope_core.h"

namespace tram::work {
namespace {

thread_local constinit UnitBase* running = nullptr;

// A body that waits for a unit. The unit's list cannot be left, so this lives until both the wait
// is over and the unit is done.
class BodyWait final : Waiter, Suspect {
 public:
  explicit BodyWait(UnitBase& on) : Waiter(&ended) {
    waiting = running;
    waited_for = &on;
    Suspect::fail = &fail_it;
  }
  std::optional<Error> wait() {
    Scheduler& scheduler = waited_for->scope().scheduler();
    if (waiting != nullptr) waiting->scope().add_suspect(*this);
    std::optional<Error> never;
    if (waited_for->add_waiter(*this)) {
      if (scheduler.wait(signal_) == Scheduler::Waited::no_thread_left)
        never = Error(Errc::deadlock,
                      "it would wait inside a full pool: every worker waits, and no thread is left "
                      "to take its place (blocking_max)");
    } else {
      let_go();
    }
    if (waiting != nullptr) waiting->scope().remove_suspect(*this);
    if (!never) never = std::move(error_);
    let_go();
    return never;
  }

 private:
  static void ended(Waiter& waiter, UnitBase&, RunnableList&) {
    auto& self = static_cast<BodyWait&>(waiter);
    if (!self.over_.exchange(true)) self.signal_.raise();
    self.let_go();
  }
  static bool fail_it(Suspect& suspect, const Error& error) {
    auto& self = static_cast<BodyWait&>(suspect);
    if (self.over_.exchange(true)) return false;
    self.error_ = error;
    self.signal_.raise();
    return false;
  }
  void let_go() {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  std::atomic<int> holders_ = 2;
  std::atomic<bool> over_ = false;
  Signal signal_;
  std::optional<Error> error_;
};

}  // namespace

UnitBase* running_unit() { return running; }
RunningUnit::RunningUnit(UnitBase& unit) : outer_(std::exchange(running, &unit)) {}
RunningUnit::~RunningUnit() { running = outer_; }

std::optional<Error> wait_until_done(UnitBase& unit) {
  if (unit.done()) return std::nullopt;
  if (unit.scope().scheduler().on_worker() && unit.runnable() && unit.claim()) {
    unit.run_claimed_here();
    if (unit.done()) return std::nullopt;
  }
  // `unit` may end, and its scope with it, as soon as it is done: not touched after the wait.
  return (new BodyWait(unit))->wait();
}

}  // namespace tram::work
