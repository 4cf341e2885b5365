#include "tram/work/scheduler/sim_scheduler.h"

namespace tram::work {

SimScheduler::~SimScheduler() {
  while (!ready_.empty()) {
    Task* task = ready_.back();
    ready_.pop_back();
    task->ops->run(*task);
  }
}

bool SimScheduler::step(Time until) {
  ++steps_;
  if (!ready_.empty()) {
    std::swap(ready_[random_.below(ready_.size())], ready_.back());
    Task* task = ready_.back();
    ready_.pop_back();
    ++running_;
    task->ops->run(*task);
    --running_;
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
  while (!signal.raised())
    if (!step(Time::never())) return Waited::no_thread_left;
  return Waited::raised;
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
