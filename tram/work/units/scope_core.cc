#include "tram/work/units/scope_core.h"

#include <algorithm>
#include <unordered_set>

#include "tram/base/assert.h"

namespace tram::work {

// ---- Circles --------------------------------------------------------------------------------

class ScopeCore::DeadlockHook final : public IdleHook {
 public:
  explicit DeadlockHook(ScopeCore& scope) : IdleHook(Rank::deadlock), scope_(scope) {}
  bool on_idle() override { return scope_.find_deadlock(); }

 private:
  ScopeCore& scope_;
};

HoldUp::HoldUp(UnitBase& unit, UnitBase& until, bool failure_counts)
    : Waiter(&ended), failure_counts_(failure_counts) {
  waiting = &unit;
  waited_for = &until;
  Suspect::fail = &fail_it;
}

void HoldUp::attach(UnitBase& unit, UnitBase& until, bool failure_counts) {
  auto* hold_up = new HoldUp(unit, until, failure_counts);
  unit.hold();
  until.hold();
  unit.scope().add_suspect(*hold_up);
  if (until.add_waiter(*hold_up)) return;
  RunnableList ready;
  ScopeCore& scope = unit.scope();
  ended(*hold_up, until, ready);
  scope.scheduler().schedule(std::move(ready));
}

void HoldUp::ended(Waiter& waiter, UnitBase& done, RunnableList& ready) {
  auto& self = static_cast<HoldUp&>(waiter);
  UnitBase& unit = *self.waiting;
  if (!self.over_.exchange(true)) {
    ScopeCore& scope = unit.scope();
    scope.remove_suspect(self);
    if (self.failure_counts_ && done.error() != nullptr)
      scope.set_late_failure(unit, because_of(done));
    unit.one_ended(ready);
  }
  unit.release();
  self.waited_for->release();
  delete &self;
}

bool HoldUp::fail_it(Suspect& suspect, const Error&) {
  return !static_cast<HoldUp&>(suspect).over_.exchange(true);
}

Error because_of(const UnitBase& dependency) {
  const Error& error = *dependency.error();
  if (error == Errc::cancelled || error == Errc::timed_out || error == Errc::dependency_failed)
    return error;
  return Error(Errc::dependency_failed, error.text(), error.cause())
      .in(error.where().empty() ? dependency.name() : error.where(), dependency.at());
}

void ScopeCore::add_suspect(Suspect& suspect) {
  DeadlockHook* first = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (suspect.linked()) return;
    suspects_.push_back(suspect);
    suspect.listed = true;
    if (deadlock_hook_ == nullptr) {
      deadlock_hook_ = std::make_unique<DeadlockHook>(*this);
      first = deadlock_hook_.get();
    }
  }
  // Without the lock, since hooks take it when they are asked.
  if (first != nullptr) scheduler_.add(*first);
}

void ScopeCore::remove_suspect(Suspect& suspect) {
  std::lock_guard lock(mutex_);
  if (suspect.linked()) unlist(suspect);
}

void ScopeCore::unlist(Suspect& suspect) {
  suspects_.erase(suspect);
  suspect.listed = false;
}

void ScopeCore::set_late_failure(UnitBase& unit, const Error& error) {
  std::lock_guard lock(mutex_);
  late_failures_.try_emplace(&unit, error);
  unit.late_failure();
}

Error ScopeCore::late_failure_of(UnitBase& unit) {
  std::lock_guard lock(mutex_);
  auto found = late_failures_.find(&unit);
  TRAM_ASSERT(found != late_failures_.end());
  Error error = std::move(found->second);
  late_failures_.erase(found);
  return error;
}

namespace {

// Who waits for whom, as far as it can be reached from some suspects. No worker runs while it is
// looked at, so what waits stays.
class WaitGraph {
 public:
  struct Edge {
    UnitBase* from;
    UnitBase* to;
  };
  // What neither unit knows of. Both are held for as long.
  void add(Edge edge) { extra_[edge.from].push_back(edge.to); }
  // Some wait for any of several, so there may be a circle later although nobody waits anew.
  bool undecided() const { return undecided_; }
  // The units of a circle, in the order in which they wait; empty if there is none.
  std::vector<UnitBase*> find_circle(UnitBase& start) {
    struct Frame final : Visitor {
      UnitBase* unit = nullptr;
      std::vector<UnitBase*> next;
      bool* undecided_found = nullptr;
      void visit(UnitBase& dependency) override { next.push_back(&dependency); }
      void undecided() override { *undecided_found = true; }
    };
    std::vector<std::unique_ptr<Frame>> path;
    auto enter = [&](UnitBase& unit) {
      auto frame = std::make_unique<Frame>();
      frame->unit = &unit;
      frame->undecided_found = &undecided_;
      on_path_.insert(&unit);
      if (unit.waiting())
        unit.ops().visit_dependencies(unit, *frame);
      else if (unit.ops().visit_waits != nullptr)
        unit.ops().visit_waits(unit, *frame);
      if (auto extra = extra_.find(&unit); extra != extra_.end())
        frame->next.insert(frame->next.end(), extra->second.begin(), extra->second.end());
      path.push_back(std::move(frame));
    };
    if (!seen_.insert(&start).second) return {};
    enter(start);
    while (!path.empty()) {
      Frame& frame = *path.back();
      if (frame.next.empty()) {
        on_path_.erase(frame.unit);
        path.pop_back();
        continue;
      }
      UnitBase* next = frame.next.back();
      frame.next.pop_back();
      if (next->done()) continue;
      if (on_path_.contains(next)) {
        std::vector<UnitBase*> circle;
        auto from = std::ranges::find(path, next, [](const auto& each) { return each->unit; });
        for (; from != path.end(); ++from) circle.push_back((*from)->unit);
        return circle;
      }
      if (seen_.insert(next).second) enter(*next);
    }
    return {};
  }

 private:
  std::unordered_map<UnitBase*, std::vector<UnitBase*>> extra_;
  std::unordered_set<UnitBase*> seen_;
  std::unordered_set<UnitBase*> on_path_;
  bool undecided_ = false;
};

std::string describe(const std::vector<UnitBase*>& circle) {
  auto describe_one = [](const UnitBase& unit) {
    std::string text = "'" + std::string(unit.name()) + "'";
    if (unit.at().line() != 0) {
      std::string_view file = unit.at().file_name();
      file.remove_prefix(file.find_last_of('/') + 1);
      text.append(" (")
          .append(file)
          .append(":")
          .append(std::to_string(unit.at().line()))
          .append(")");
    }
    return text;
  };
  if (circle.size() == 1) return describe_one(*circle.front()) + " waits for itself";
  std::string text = describe_one(*circle.front());
  for (size_t i = 1; i < circle.size(); ++i) text += " waits for " + describe_one(*circle[i]);
  return text + ", which waits for " + describe_one(*circle.front());
}

}  // namespace

// Breaks a circle on a worker, since units may not be ended while they are looked at.
struct ScopeCore::FailTask : Runnable {
  FailTask(ScopeCore& of, UnitBase& from, UnitBase& to, Error why)
      : Runnable(how), scope(of), waiting(from), waited_for(to), error(std::move(why)) {
    scope.begun();
    waiting.hold();
  }
  static void run_it(Runnable& task) {
    auto& self = static_cast<FailTask&>(task);
    self.scope.break_circle(self.waiting, self.waited_for, self.error);
    self.waiting.release();
    self.scope.ended();
    delete &self;
  }
  static constexpr RunnableOps how{&run_it};
  ScopeCore& scope;
  UnitBase& waiting;
  UnitBase& waited_for;
  Error error;
};

bool ScopeCore::find_deadlock() {
  struct Edges final : Visitor {
    void add(UnitBase& from, UnitBase& to) {
      from.hold();
      to.hold();
      all.push_back({&from, &to});
    }
    void visit(UnitBase& to) override { add(*waiting, to); }
    void undecided() override { any_undecided = true; }
    UnitBase* waiting = nullptr;
    bool any_undecided = false;
    std::vector<WaitGraph::Edge> all;
  } edges;
  std::unique_lock lock(mutex_);
  // The world outside, or time, may still set it going.
  if (!outside_.empty() || suspects_.empty()) return false;
  WaitGraph graph;
  for (Suspect* each = suspects_.first(); each != nullptr; each = suspects_.next(*each)) {
    edges.waiting = each->waiting;
    if (each->waited_for == nullptr) {
      each->waiting->ops().visit_waits(*each->waiting, edges);
    } else {
      edges.add(*each->waiting, *each->waited_for);
      graph.add(edges.all.back());
    }
  }
  std::vector<UnitBase*> circle;
  for (size_t i = 0; i < edges.all.size() && circle.empty(); ++i)
    circle = graph.find_circle(*edges.all[i].from);
  bool found = false;
  // Some wait on the circle is a suspect's: that one can be ended.
  for (size_t i = 0; i < circle.size() && !found; ++i) {
    UnitBase* from = circle[i];
    UnitBase* to = circle[(i + 1) % circle.size()];
    found = std::ranges::any_of(
        edges.all, [&](WaitGraph::Edge edge) { return edge.from == from && edge.to == to; });
    if (found) {
      std::rotate(circle.begin(), circle.begin() + static_cast<ptrdiff_t>(i), circle.end());
      scheduler_.schedule(
          *new FailTask(*this, *from, *to, Error(Errc::deadlock, describe(circle))));
    }
  }
  if (circle.empty() && !edges.any_undecided && !graph.undecided()) {
    // Whoever closes a circle later is a suspect then, and the others are found through units. So
    // many that wait for long are not looked at again and again.
    for (Suspect* each = suspects_.first(); each != nullptr;) {
      Suspect* next = suspects_.next(*each);
      if (each->waited_for == nullptr) unlist(*each);
      each = next;
    }
  }
  // The last to hold a unit runs what its closure and result do when they go.
  lock.unlock();
  for (WaitGraph::Edge edge : edges.all) {
    edge.from->release();
    edge.to->release();
  }
  return found;
}

void ScopeCore::break_circle(UnitBase& waiting, UnitBase& waited_for, const Error& error) {
  bool tell = false;
  {
    std::lock_guard lock(mutex_);
    // The one that waits for just this; otherwise the one that may wait for several.
    Suspect* found = nullptr;
    for (Suspect* each = suspects_.first(); each != nullptr; each = suspects_.next(*each)) {
      if (each->waiting != &waiting) continue;
      const bool exactly = each->waited_for == &waited_for;
      if (exactly || each->waited_for == nullptr) found = each;
      if (exactly) break;
    }
    if (found != nullptr) {
      if (found->waited_for != nullptr) unlist(*found);
      tell = found->fail(*found, error);
    }
  }
  if (!tell) return;
  set_late_failure(waiting, error.in(waiting.name(), waiting.at()));
  RunnableList ready;
  waiting.one_ended(ready);
  scheduler_.schedule(std::move(ready));
}

// ---- The scope ------------------------------------------------------------------------------

ScopeCore::DeadlineTimer::DeadlineTimer(ScopeCore& of)
    : Timer([](Timer& timer) {
        ScopeCore& late = static_cast<DeadlineTimer&>(timer).scope;
        late.stop(Errc::timed_out);
        late.deadline_fired_.raise();
      }),
      scope(of) {}

ScopeCore::ScopeCore(Scheduler& scheduler, ScopeCore* parent, const Options& options)
    : scheduler_(scheduler),
      parent_(parent),
      name_(options.name),
      deadline_(parent == nullptr ? options.deadline
                                  : std::min(options.deadline, parent->deadline_)),
      keep_going_(options.keep_going),
      keep_failures_(options.keep_failures),
      deadline_timer_(*this) {
  add_alone();  // Until wait().
  if (parent_ != nullptr) {
    std::lock_guard lock(parent_->mutex_);
    parent_->children_.push_back(*this);
    stop_code_ = parent_->stop_code_.load();
  }
  if (options.deadline < (parent == nullptr ? base::Time::never() : parent->deadline_))
    scheduler_.start(deadline_timer_, deadline_);
  if (options.stop.stop_possible())
    outer_stop_.emplace(options.stop, [this] { stop(Errc::cancelled); });
}

ScopeCore::~ScopeCore() {
  outer_stop_.reset();
  bool timed = deadline_timer_.deadline != base::Time::never();
  if (timed && !scheduler_.stop(deadline_timer_)) deadline_fired_.wait();
  if (deadlock_hook_ != nullptr) scheduler_.remove(*deadlock_hook_);
  if (parent_ != nullptr) {
    std::lock_guard lock(parent_->mutex_);
    parent_->children_.erase(*this);
  }
}

void ScopeCore::on_zero() {
  std::lock_guard lock(mutex_);
  all_over_->raise();
}

bool ScopeCore::wait() {
  Signal all_over;
  {
    std::lock_guard lock(mutex_);
    all_over_ = &all_over;
  }
  ended();
  bool waited = scheduler_.wait(all_over) == Scheduler::Waited::raised;
  // Whoever raised it has let go of the lock.
  std::lock_guard lock(mutex_);
  add_alone();
  return waited;
}

struct ScopeCore::ToTell {
  std::vector<UnitBase*> outside;
  std::vector<std::stop_source> stop_sources;
  void tell(Errc why) {
    for (std::stop_source& source : stop_sources) source.request_stop();
    for (UnitBase* unit : outside) {
      unit->cancel(why);
      unit->release();
    }
  }
};

void ScopeCore::stop(Errc why) {
  ToTell to_tell;
  set_stopped(why, to_tell);
  to_tell.tell(why);
}

void ScopeCore::note_failure(const UnitBase& unit, const Error& error) {
  // What ended because of something else is no failure of its own.
  if (error == Errc::dependency_failed ||
      (stopped() && error == static_cast<Errc>(stop_code_.load())))
    return;
  if (error == Errc::cancelled && !stopped()) return;
  if (keep_failures_) {
    std::lock_guard lock(mutex_);
    failures_.push_back(error.in(unit.name(), unit.at()));
  }
  if (!keep_going_) stop(Errc::cancelled);
}

std::optional<Error> ScopeCore::take_failures() {
  std::lock_guard lock(mutex_);
  if (failures_.empty()) {
    if (!stopped()) return std::nullopt;
    return stop_error();
  }
  Error first = std::move(failures_.front());
  failures_.erase(failures_.begin());
  return failures_.empty() ? first : first.with(std::exchange(failures_, {}));
}

std::stop_token ScopeCore::stop_token() {
  std::lock_guard lock(mutex_);
  if (!stop_source_) {
    stop_source_.emplace();
    if (stopped()) stop_source_->request_stop();
  }
  return stop_source_->get_token();
}

void ScopeCore::set_stopped(Errc why, ToTell& to_tell) {
  std::lock_guard lock(mutex_);
  int running = not_stopped;
  if (!stop_code_.compare_exchange_strong(running, static_cast<int>(why))) return;
  if (stop_source_) to_tell.stop_sources.push_back(*stop_source_);
  while (!outside_.empty()) {
    UnitBase& unit = outside_.pop_front().unit;
    unit.hold();
    to_tell.outside.push_back(&unit);
  }
  for (StopListener* each = stop_listeners_.first(); each != nullptr;
       each = stop_listeners_.next(*each))
    each->tell(*each);
  for (ScopeCore* child = children_.first(); child != nullptr; child = children_.next(*child))
    child->set_stopped(why, to_tell);
}

void ScopeCore::add_stop_listener(StopListener& listener) {
  std::lock_guard lock(mutex_);
  stop_listeners_.push_back(listener);
}

void ScopeCore::remove_stop_listener(StopListener& listener) {
  std::lock_guard lock(mutex_);
  stop_listeners_.erase(listener);
}

bool ScopeCore::add_outside(Outside& outside) {
  std::lock_guard lock(mutex_);
  if (stopped()) return false;
  outside_.push_back(outside);
  return true;
}

void ScopeCore::remove_outside(Outside& outside) { remove_outside(outside, hold_outside()); }

void ScopeCore::remove_outside(Outside& outside, const std::unique_lock<ShortMutex>&) {
  if (outside.linked()) outside_.erase(outside);
}

void ScopeCore::set_local(std::type_index type, std::shared_ptr<void> value) {
  std::lock_guard lock(mutex_);
  for (auto& [known, old] : locals_)
    if (known == type) {
      old = std::move(value);
      return;
    }
  locals_.emplace_back(type, std::move(value));
}

std::shared_ptr<void> ScopeCore::local(std::type_index type) {
  {
    std::lock_guard lock(mutex_);
    for (auto& [known, value] : locals_)
      if (known == type) return value;
  }
  return parent_ == nullptr ? nullptr : parent_->local(type);
}

void* ScopeCore::single(std::type_index type, const std::function<std::shared_ptr<void>()>& make) {
  std::lock_guard lock(mutex_);
  for (auto& [known, value] : singles_)
    if (known == type) return value.get();
  return singles_.emplace_back(type, make()).second.get();
}

}  // namespace tram::work
