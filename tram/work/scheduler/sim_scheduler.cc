#include "tram/work/scheduler/sim_scheduler.h"

#include <algorithm>
#include <utility>

namespace tram::work {

struct SimScheduler::Parked {
  explicit Parked(Signal& on) : signal(on) {}
  Signal& signal;
  Waited outcome = Waited::raised;
  std::condition_variable go;
  bool chosen = false;  // Guarded by baton_.
};

SimScheduler::~SimScheduler() {
  while (!ready_.empty()) run_one_of_ready(ready_.size() - 1);
  {
    std::lock_guard lock(baton_);
    ending_ = true;
    carry_on_.notify_all();
  }
  for (std::thread& carrier : carriers_) carrier.join();
}

void SimScheduler::run_one_of_ready(size_t index) {
  std::swap(ready_[index], ready_.back());
  Runnable* task = ready_.back();
  ready_.pop_back();
  ++running_;
  task->ops->run(*task);
  --running_;
}

bool SimScheduler::step(Time until) {
  ++steps_;
  if (!ready_.empty()) {
    run_one_of_ready(random_.below(ready_.size()));
    return true;
  }
  // A body that waits does not make the others busy: asked as if nothing ran.
  if (ask_hooks()) return true;
  Time next = timers_.next_deadline();
  if (next == Time::never() || next > until) return false;
  now_ = std::max(now_, next);
  while (Timer* due = timers_.pop_due(now_)) due->fire(*due);
  return true;
}

Scheduler::Waited SimScheduler::wait(Signal& signal) {
  if (signal.raised()) return Waited::raised;
  Parked me(signal);
  parked_.push_back(&me);
  int bodies = std::exchange(running_, 0);
  {
    std::unique_lock lock(baton_);
    if (idle_carriers_ > 0) {
      --idle_carriers_;
      carrier_wanted_ = true;
      carry_on_.notify_one();
    } else {
      carriers_.emplace_back([this] { carry(); });
    }
    me.go.wait(lock, [&] { return me.chosen; });
  }
  running_ = bodies;
  return me.outcome;
}

SimScheduler::Parked* SimScheduler::choose() {
  for (;;) {
    std::vector<size_t> raised;
    for (size_t i = 0; i < parked_.size(); ++i)
      if (parked_[i]->signal.raised()) raised.push_back(i);
    size_t index = parked_.size() - 1;
    if (!raised.empty()) {
      ++steps_;
      size_t choice = random_.below(ready_.size() + raised.size());
      if (choice < ready_.size()) {
        run_one_of_ready(choice);
        continue;
      }
      index = raised[choice - ready_.size()];
    } else {
      if (step(Time::never())) continue;
      // Nothing will ever raise any of them: the one that began to wait last is told first.
      parked_[index]->outcome = Waited::no_thread_left;
    }
    Parked* chosen = parked_[index];
    parked_.erase(parked_.begin() + static_cast<ptrdiff_t>(index));
    return chosen;
  }
}

void SimScheduler::carry() {
  for (;;) {
    Parked* chosen = choose();
    std::unique_lock lock(baton_);
    chosen->chosen = true;
    chosen->go.notify_one();
    ++idle_carriers_;
    carry_on_.wait(lock, [&] { return carrier_wanted_ || ending_; });
    if (!carrier_wanted_) return;
    carrier_wanted_ = false;
  }
}

void SimScheduler::add(IdleHook& hook) {
  if (!hook.linked()) hooks_[static_cast<size_t>(hook.rank())].push_back(hook);
}

void SimScheduler::remove(IdleHook& hook) {
  if (hook.linked()) hooks_[static_cast<size_t>(hook.rank())].erase(hook);
}

bool SimScheduler::ask_hooks() {
  for (auto& rank : hooks_) {
    bool found = false;
    for (IdleHook* hook = rank.first(); hook != nullptr; hook = rank.next(*hook))
      found |= hook->on_idle();
    if (found) return true;
  }
  return false;
}

}  // namespace tram::work
