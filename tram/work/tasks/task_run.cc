#include "tram/work/tasks/task_run.h"

#include "tram/work/units/wait.h"

namespace tram::work {
namespace {

// What a coroutine may await without waiting before others have a turn, and what a stack full of
// transfers counts for.
constexpr int budget_per_turn = 256;
constexpr int budget_per_stack = 16;

// The scope whose stopping ends all of these units; nullptr if `own` and those around it are none.
// Other scopes are compared and never looked into: they may be gone with their units.
template <class Lanes>
ScopeCore* scope_of_all(ScopeCore& own, Lanes* lanes, uint32_t count) {
  ScopeCore* outermost = &own;
  for (uint32_t i = 0; i < count; ++i) {
    ScopeCore* of_unit = &lanes[i].unit->scope();
    if (of_unit == &own) continue;
    bool within = false;  // What is found from here on is as far out as `outermost`, or farther.
    ScopeCore* around = &own;
    for (; around != nullptr && around != of_unit; around = around->parent())
      within |= around == outermost;
    if (around == nullptr) return nullptr;
    if (within) outermost = around;
  }
  return outermost;
}

}  // namespace

// ---- One wait -------------------------------------------------------------------------------

AwaitBlock& AwaitBlock::make(TaskRun& run, UnitBase& unit, uint32_t count, bool any) {
  void* memory = UnitMemory::take(sizeof(AwaitBlock) + count * sizeof(Lane));
  auto& block = *new (memory) AwaitBlock(run, unit, count, any);
  for (uint32_t i = 0; i < count; ++i) new (&block.lanes()[i]) Lane(block);
  unit.hold();
  return block;
}

void AwaitBlock::let_go() {
  if (holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  size_t size = sizeof(AwaitBlock) + count * sizeof(Lane);
  UnitBase& held = unit;
  this->~AwaitBlock();
  UnitMemory::give_back(this, size);
  held.release();
}

void AwaitBlock::ended(Waiter& waiter, UnitBase& done, RunnableList& ready) {
  AwaitBlock& block = static_cast<Lane&>(waiter).block;
  UnitBase* nobody = nullptr;
  if (block.any && done.error() == nullptr &&
      block.winner.compare_exchange_strong(nobody, &done, std::memory_order_seq_cst) &&
      block.run.take(block.turn))
    ready.push_back(block.run);
  // Only the last of them may touch the block after this.
  if (block.left.fetch_sub(1, std::memory_order_seq_cst) != 1) return;
  if (block.run.take(block.turn)) ready.push_back(block.run);
  block.let_go();
}

// ---- Waiting --------------------------------------------------------------------------------

bool TaskRun::take(uint64_t turn) {
  uint64_t while_it_waits = turn << 1 | waits;
  return word_.compare_exchange_strong(while_it_waits, (turn + 1) << 1, std::memory_order_seq_cst);
}

bool TaskRun::suspend(std::coroutine_handle<> at, AwaitBlock& block) {
  const uint64_t turn = word_.load(std::memory_order_relaxed) >> 1;
  block.turn = turn;
  block_ = &block;
  resume_at_ = at;
  ScopeCore* ends_with = scope_of_all(unit_->scope(), block.lanes(), block.count);
  RunnableList none;
  for (uint32_t i = 0; i < block.count; ++i) {
    AwaitBlock::Lane& lane = block.lanes()[i];
    // Nobody is made ready: it does not wait yet.
    if (!lane.unit->add_waiter(lane)) AwaitBlock::ended(lane, *lane.unit, none);
  }
  bool goes_on = block.over();
  if (goes_on) {
    // Those of an any() that end later come too late for this turn.
    word_.store((turn + 1) << 1, std::memory_order_seq_cst);
  } else {
    leave();
    become_known(ends_with);
    goes_on = !wait(block);
  }
  block.let_go();
  if (!goes_on) return true;
  if (may_go_on()) return false;
  yield(at);
  return true;
}

void TaskRun::leave() {
  if (std::exchange(left_, true)) return;
  unit_->hold();
  unit_->hold_up();
}

void TaskRun::become_known(ScopeCore* ends_with) {
  if (known_ == nullptr) known_ = new (UnitMemory::take(sizeof(Known))) Known(*this);
  ScopeCore& scope = unit_->scope();
  // Where this is no worker, somebody may look at suspects just now, and take them out.
  if (!known_->listed.load(std::memory_order_relaxed) || !scope.scheduler().on_worker())
    scope.add_suspect(*known_);
  if (ends_with != &scope && !std::exchange(known_->listens, true))
    scope.add_stop_listener(*known_);
  known_->ends_with.store(ends_with, std::memory_order_relaxed);
}

bool TaskRun::wait(AwaitBlock& block) {
  ScopeCore& scope = block.unit.scope();
  ScopeCore* ends_with = known_->ends_with.load(std::memory_order_relaxed);
  // From here on it may be resumed by another thread, and its unit be done before this returns:
  // only what the block holds is touched, and `this` beyond that if it is taken.
  //
  // Whoever ends a wait first says why and then looks whether it waits; here it is the other way
  // round. So one of them sees the other.
  word_.exchange(block.turn << 1 | waits, std::memory_order_seq_cst);
  std::optional<Error> why;
  if (!block.over()) {
    if (block.unit.cancel_asked())
      why = Errc::cancelled;
    else if (left_behind(scope, ends_with))
      why = scope.stop_error();
    else
      return true;
  }
  if (!take(block.turn)) return true;
  known_->interrupted = std::move(why);
  // A body that stepped aside is no worker's: whoever looks for circles does not wait for it, and
  // may be looking at the block.
  if (Scheduler& scheduler = scope.scheduler(); !scheduler.on_worker())
    std::lock_guard still(scheduler.stillness());
  return false;
}

bool TaskRun::left_behind(const ScopeCore& scope, const ScopeCore* ends_with) {
  return scope.stopped() && (ends_with == nullptr || !ends_with->stopped());
}

void TaskRun::yield(std::coroutine_handle<> at) {
  leave();
  resume_at_ = at;
  unit_->scope().scheduler().schedule_last(*this);
}

std::optional<Error> TaskRun::told_otherwise() {
  if (block_ != nullptr) std::exchange(block_, nullptr)->let_go();
  return known_ == nullptr ? std::nullopt : std::exchange(known_->interrupted, std::nullopt);
}

UnitBase* TaskRun::resumed() {
  UnitBase* winner = block_ == nullptr ? nullptr : block_->winner.load(std::memory_order_acquire);
  if (std::optional<Error> why = told_otherwise()) throw Failure(*why);
  return winner;
}

void TaskRun::check() const {
  if (unit_->cancel_asked()) throw Failure(Errc::cancelled);
  if (unit_->scope().stopped()) throw Failure(unit_->scope().stop_error());
}

// ---- Being told otherwise -------------------------------------------------------------------

void TaskRun::interrupt() {
  uint64_t word = word_.load(std::memory_order_seq_cst);
  if ((word & waits) != 0 && take(word >> 1)) interrupt(Errc::cancelled);
}

void TaskRun::interrupt(Error why) {
  known_->interrupted = std::move(why);
  unit_->scope().scheduler().schedule(*this);
}

TaskRun::Known::Known(TaskRun& of) : StopListener(&scope_stopped), run(of) {
  Suspect::waiting = of.unit_;
  Suspect::fail = &fail_wait;
}

// Under the scope's lock, so this is not gone yet.
void TaskRun::Known::scope_stopped(StopListener& listener) {
  auto& self = static_cast<Known&>(listener);
  uint64_t word = self.run.word_.load(std::memory_order_seq_cst);
  if ((word & waits) == 0) return;
  // If it is this turn that is taken, it was this turn's.
  ScopeCore* ends_with = self.ends_with.load(std::memory_order_relaxed);
  ScopeCore& scope = self.waiting->scope();
  if (left_behind(scope, ends_with) && self.run.take(word >> 1))
    self.run.interrupt(scope.stop_error());
}

// What waits goes on waiting, though a plain thread may end that just now: then the block stays
// until a worker resumes the coroutine.
void TaskRun::visit_waits(Visitor& visitor) {
  uint64_t word = word_.load(std::memory_order_seq_cst);
  if ((word & waits) == 0) return;
  known_->suspected_turn = word >> 1;
  // While two may still succeed, waiting for one of them in a circle is no deadlock.
  if (block_->any && block_->left.load(std::memory_order_acquire) > 1) return visitor.undecided();
  for (uint32_t i = 0; i < block_->count; ++i) visitor.visit(*block_->lanes()[i].unit);
}

bool TaskRun::Known::fail_wait(Suspect& suspect, const Error& error) {
  auto& self = static_cast<Known&>(suspect);
  if (self.run.take(self.suspected_turn)) self.run.interrupt(error);
  return false;  // It ends as it likes, now that it knows.
}

// ---- Running --------------------------------------------------------------------------------

const RunnableOps TaskRun::how_to_resume{&TaskRun::resume};

void TaskRun::begin(UnitBase& unit, std::coroutine_handle<> root) {
  unit_ = &unit;
  drive(root);
}

void TaskRun::resume(Runnable& runnable) {
  auto& self = static_cast<TaskRun&>(runnable);
  UnitBase& unit = *self.unit_;
  ScopeCore& scope = unit.scope();
  // Another thread may resume it, and bring it to its end, before this one has left it.
  scope.begun();
  {
    RunningUnit running(unit);
    self.drive(self.resume_at_);
  }
  scope.ended();
}

void TaskRun::drive(std::coroutine_handle<> from) {
  Drive drive;
  drive_ = &drive;
  budget_ = budget_per_turn;
  // After it has suspended, `this` belongs to whoever resumes it: only what is on this stack says
  // how to go on.
  for (drive.next = from; drive.next;) {
    drive.depth = 0;
    std::exchange(drive.next, nullptr).resume();
  }
  if (drive.finished && left_) finish();
}

std::coroutine_handle<> TaskRun::begin_stack_anew(std::coroutine_handle<> to) {
  budget_ -= budget_per_stack;
  if (budget_ > 0)
    drive_->next = to;
  else
    yield(to);
  return std::noop_coroutine();
}

std::coroutine_handle<> TaskRun::finished() {
  drive_->finished = true;
  return std::noop_coroutine();
}

// Nothing is below this on the stack but a worker, or its unit's own body, which is not over.
void TaskRun::finish() {
  UnitBase& unit = *unit_;
  if (known_ != nullptr) {
    if (known_->listed) unit.scope().remove_suspect(*known_);
    if (known_->listens) unit.scope().remove_stop_listener(*known_);
    known_->~Known();
    UnitMemory::give_back(std::exchange(known_, nullptr), sizeof(Known));
  }
  unit.one_ended_here();
  unit.release();
}

}  // namespace tram::work
