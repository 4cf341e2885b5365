// When batches go: who looks, and what is done then. What decides is in flush_rule.cc, whose turn
// it is in gathering.h.
#include <algorithm>
#include <limits>

#include "tram/work/batch/batch_core.h"

namespace tram::work {

using base::Duration;
using base::Time;
using Place = BatchItem::Place;

FlushRule::Waiting BatchCore::look_at(const Gathering& gathering) const {
  return {.items = gathering.count,
          .weight = gathering.weight,
          .first = gathering.first,
          .asked = gathering.asked > 0 ? std::optional(gathering.asked_why) : std::nullopt,
          .closed = closed_};
}

void BatchCore::ask_for_all(FlushReason why, Time now) {
  queue_.all_due(now);
  queue_.for_each_due([why](Gathering& each) {
    each.asked = each.count;
    each.asked_why = why;
  });
}

void BatchCore::take_due(bool idle, Time now, RunnableList& calls) {
  latest_ = now;
  idle = idle && rule_.looks_at_idle();
  // The first of several calls brings what is not idle: the others are to go all the same.
  if (idle && rule_.flush == Flush::only_idle) ask_for_all(FlushReason::idle, now);
  while (can_call()) {
    const bool thin = can_call_thin();
    Gathering* next =
        queue_.next(idle && thin, thin ? rule_.patience(stats_.service) : Duration::forever(), now);
    if (next == nullptr) break;
    auto reason = rule_.reason(look_at(*next), idle, stats_.service, now);
    if (!reason)
      settle(*next, false, now);  // It was full, but calls may be larger by now.
    else if (!take_one(*next, *reason, now, calls))
      break;
  }
  set_timer();
}

bool BatchCore::take_one(Gathering& gathering, FlushReason reason, Time now, RunnableList& calls) {
  uint64_t tokens = 0;
  if (!pay_for_call(gathering, now, tokens)) return false;
  const bool thin = !gathering.linked();  // It is not due.
  BatchCall& call = take_first(gathering);
  call.thin = thin;
  gathering.count -= call.count;
  gathering.weight -= call.weight;
  gathering.asked -= std::min(gathering.asked, call.count);
  waiting_.store(waiting_.load(std::memory_order_relaxed) - call.callers,
                 std::memory_order_relaxed);
  if (settings_.limit_counts == LimitCounts::items && tokens > call.count) {
    give_back_tokens(tokens - call.count);
    tokens = call.count;
  }
  call.tokens = tokens;
  call.reason = reason;
  call.first = gathering.first;
  slots_.take(call.thin, now);
  call.in_flight = slots_.taken();
  ++pending_;
  calls.push_back(call);
  settle(gathering, true, now);
  return true;
}

BatchCall& BatchCore::take_first(Gathering& gathering) {
  BatchCall& call = gathering.calls.pop_front();
  const bool too_many = call.count > rule_.max_items;
  const bool too_heavy = rule_.max_weight != 0 && call.weight > rule_.max_weight;
  if (too_many || too_heavy || (call.count < rule_.max_items && !gathering.calls.empty()))
    fit(gathering, call);
  call.gathering = nullptr;
  if (settings_.dedup)
    for (BatchItem* each = call.items.first(); each != nullptr; each = call.items.next(*each))
      unlist(gathering, *each, nullptr);
  return call;
}

void BatchCore::fit(Gathering& gathering, BatchCall& call) {
  const uint64_t weight_max =
      rule_.max_weight != 0 ? rule_.max_weight : std::numeric_limits<uint64_t>::max();
  // One that is too heavy by itself goes alone.
  auto too_much = [&] {
    return call.count > 1 && (call.count > rule_.max_items || call.weight > weight_max);
  };
  if (too_much()) {
    BatchCall& rest = *make_call(gathering);
    rest.gathering = &gathering;
    while (too_much()) move(call.items.back(), call, rest, true);
    gathering.calls.push_front(rest);
    return;
  }
  while (call.count < rule_.max_items && !gathering.calls.empty()) {
    BatchCall& next = gathering.calls.front();
    BatchItem& item = next.items.front();
    if (call.weight > weight_max || item.weight > weight_max - call.weight) break;
    move(item, next, call, false);
    if (next.count > 0) continue;
    gathering.calls.erase(next);
    next.let_go();
  }
}

void BatchCore::move(BatchItem& item, BatchCall& from, BatchCall& to, bool to_front) {
  from.items.erase(item);
  from.deadline_doubtful = true;
  --from.count;
  ++to.count;
  from.weight -= item.weight;
  to.weight += item.weight;
  auto tell = [&](BatchItem& each) {
    each.call = &to;
    --from.callers;
    ++to.callers;
    to.deadline = std::max(to.deadline, each.deadline);
  };
  tell(item);
  for (auto* each = item.sharers.first(); each != nullptr; each = item.sharers.next(*each))
    tell(*each);
  to_front ? to.items.push_front(item) : to.items.push_back(item);
}

bool BatchCore::pay_for_call(const Gathering& gathering, Time now, uint64_t& tokens) {
  if (settings_.limit == nullptr) return true;
  tokens =
      settings_.limit_counts == LimitCounts::items ? std::min(gathering.count, rule_.max_items) : 1;
  if (settings_.limit->try_acquire(tokens, now)) return true;
  limited_ = true;
  limited_until_ = settings_.limit->next_free(tokens, now);
  ++stats_.held_up;
  return false;
}

void BatchCore::give_back_tokens(uint64_t tokens) {
  if (settings_.limit != nullptr && tokens > 0) settings_.limit->give_back(tokens);
}

void BatchCore::set_timer() {
  // Without a slot there is nothing to be done: who frees one looks at all that waits.
  if (!slots_.free()) return;
  Time at = limited_                 ? limited_until_
            : slots_.free_for_thin() ? queue_.first_young() + rule_.patience(stats_.service)
                                     : Time::never();
  // A timer that is set already and comes too early is left to find that out: most batches go
  // before theirs, and setting it for each of them would wake its thread each time.
  if (at >= timer_at_) return;
  // It fires just now, and will look for itself.
  if (timer_at_ != Time::never() && !scheduler_.stop(*this)) return;
  start_timer(at);
}

void BatchCore::start_timer(Time at) {
  timer_at_ = at;
  scheduler_.start(*this, at);
}

void BatchCore::keep_ticking(Time now) {
  // Where batches come and go, one will set it within the same time: to let it run is cheaper than
  // to wake its thread for that.
  if (timer_at_ != Time::never() || closed_ || stats_.items == items_at_tick_) return;
  const Duration patience = rule_.patience(stats_.service);
  if (patience < Duration::forever()) start_timer(now + patience);
  items_at_tick_ = stats_.items;
}

void BatchCore::on_time(Timer& timer) {
  auto& self = static_cast<BatchCore&>(timer);
  RunnableList calls;
  Lock lock(self.mutex_);
  self.timer_at_ = Time::never();
  self.limited_ = false;
  const Time now = self.scheduler_.now();
  if (self.waiting_.load(std::memory_order_relaxed) > 0)
    self.take_due(self.nothing_runs(), now, calls);
  self.keep_ticking(now);
  if (self.timer_pending_) self.forget(1);
  if (calls.empty()) return;
  lock.unlock();
  self.scheduler_.schedule(std::move(calls));
}

bool BatchCore::on_idle() {
  if (waiting_.load() == 0) return false;
  Lock lock(mutex_);
  if (waiting_.load(std::memory_order_relaxed) == 0 || flush_wanted_ || !wants_idle()) return false;
  // Under the lock, so that what has come so far is all that could. Who asks may have been delayed.
  if (!nothing_runs()) return false;
  want_flush();
  lock.unlock();
  scheduler_.schedule(flush_task_);
  return true;
}

bool BatchCore::notice_idle() {
  if (flush_wanted_ || !wants_idle() || !nothing_runs()) return false;
  want_flush();
  return true;
}

void BatchCore::want_flush() {
  flush_wanted_ = true;
  ++pending_;
}

void BatchCore::FlushTask::run_it(Runnable& task) {
  BatchCore& core = static_cast<FlushTask&>(task).core;
  RunnableList calls;
  Runnable* mine = nullptr;
  {
    Lock lock(core.mutex_);
    core.flush_wanted_ = false;
    core.take_due(true, core.scheduler_.now(), calls);
    if (!calls.empty()) mine = &calls.pop_front();
    core.forget(1);
  }
  if (!calls.empty()) core.scheduler_.schedule(std::move(calls));
  // The call keeps the batcher.
  if (mine != nullptr) mine->ops->run(*mine);
}

void BatchCore::flush() {
  RunnableList calls;
  Lock lock(mutex_);
  Time now = scheduler_.now();
  ask_for_all(FlushReason::asked, now);
  take_due(false, now, calls);
  lock.unlock();
  scheduler_.schedule(std::move(calls));
}

void BatchCore::close() {
  RunnableList calls;
  Lock lock(mutex_);
  Time now = scheduler_.now();
  closed_ = true;
  queue_.all_due(now);
  take_due(false, now, calls);
  lock.unlock();
  scheduler_.schedule(std::move(calls));
}

}  // namespace tram::work
