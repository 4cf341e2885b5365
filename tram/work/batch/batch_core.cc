// Its life, and its items. When they go is in batch_core_flush.cc, the calls in
// batch_core_calls.cc.
#include "tram/work/batch/batch_core.h"

#include <algorithm>

#include "tram/base/assert.h"

namespace tram::work {

using base::Time;
using Place = BatchItem::Place;

BatchCore::BatchCore(Scheduler& scheduler, Settings settings)
    : IdleHook(Rank::flush),
      Timer(&on_time),
      scheduler_(scheduler),
      settings_(std::move(settings)),
      home_(scheduler, nullptr,
            {.name = settings_.name,
             .keep_going = true,
             .keep_failures = false,
             .deadline = Time::never(),
             .stop = {}}),
      standing_(home_),
      flush_task_(*this),
      rule_(settings_.rule),
      slots_(settings_.inflight, settings_.thin_max, scheduler.now()),
      climb_(settings_.climb) {
  if (climb_) rule_.max_items = std::min<uint64_t>(climb_->size(), rule_.max_items);
}

void BatchCore::start() {
  if (rule_.looks_at_idle()) scheduler_.add(*this);
}

void BatchCore::finish() {
  close();
  wait_for_pending();
  {
    Lock lock(mutex_);
    if (timer_at_ != Time::never() && !scheduler_.stop(*this)) {
      timer_pending_ = true;
      ++pending_;
    }
  }
  wait_for_pending();
  scheduler_.remove(*this);
  home_.wait();
}

void BatchCore::wait_for_pending() {
  Signal all_over;
  {
    Lock lock(mutex_);
    if (pending_ == 0) return;
    all_over_ = &all_over;
  }
  TRAM_ASSERT(scheduler_.wait(all_over) == Scheduler::Waited::raised,
              "a batcher ends with a call that can never end");
  // Whoever raised it has let go of the lock.
  Lock lock(mutex_);
  all_over_ = nullptr;
}

void BatchCore::forget(uint64_t things) {
  pending_ -= things;
  if (things > 0 && pending_ == 0 && all_over_ != nullptr) all_over_->raise();
}

BatchStats BatchCore::stats() {
  Time now = scheduler_.now();
  Lock lock(mutex_);
  BatchStats stats = stats_;
  stats.waiting = waiting_.load(std::memory_order_relaxed);
  stats.in_flight = slots_.taken();
  stats.in_flight_max = slots_.taken_max();
  stats.limit = slots_.limit();
  stats.max_items = rule_.max_items;
  stats.saturation = slots_.saturation(now);
  return stats;
}

Error BatchCore::refusal() {
  ++stats_.refused;
  Error error = closed_ ? Error(Errc::closed, "the batcher was closed")
                        : Error(Errc::overloaded, "waiting_max items wait for a batch");
  return error.in(settings_.name, std::source_location());
}

void BatchCore::refuse(BatchItem& item) {
  if (item.unit == nullptr || item.place == Place::left) return;
  item.place = Place::refused;
  ++pending_;
}

void BatchCore::add(Lock lock, Gathering& gathering, BatchItem& item) {
  const bool outside = !scheduler_.on_worker();
  const bool first = gathering.count == 0;
  if (first) gathering.first = latest_ = scheduler_.now();
  item.came = latest_;
  BatchCall& call = open_call(gathering, item);
  call.items.push_back(item);
  ++call.count;
  call.weight += item.weight;
  enter(call, item);
  ++gathering.count;
  gathering.weight += item.weight;
  ++pending_;
  ++stats_.items;
  // From outside, sequentially consistent: who goes to sleep then looks at this, or we see that it
  // sleeps. A worker sleeps after this itself.
  waiting_.store(waiting_.load(std::memory_order_relaxed) + 1,
                 outside ? std::memory_order_seq_cst : std::memory_order_relaxed);

  RunnableList calls;
  const bool due = may_be_due(gathering) && rule_.due(look_at(gathering));
  if (due && !gathering.linked()) latest_ = scheduler_.now();
  if (first || due != gathering.linked()) queue_.place(gathering, due, false, latest_);
  if (due && can_call()) take_due(false, latest_, calls);
  const bool taken = !calls.empty();
  const bool idle = !taken && outside && notice_idle();
  // The flush task is queued where a call would be: no timer could be sooner.
  if (first && !due && !flush_wanted_) set_timer();
  lock.unlock();
  if (taken) scheduler_.schedule(std::move(calls));
  if (idle) scheduler_.schedule(flush_task_);
}

void BatchCore::enter(BatchCall& call, BatchItem& item) {
  item.place = Place::in_batch;
  item.call = &call;
  ++call.callers;
  call.deadline = std::max(call.deadline, item.deadline);
}

BatchCall& BatchCore::open_call(Gathering& gathering, const BatchItem& item) {
  if (!gathering.calls.empty()) {
    BatchCall& last = gathering.calls.back();
    if (last.count < rule_.max_items &&
        (rule_.max_weight == 0 || last.weight + item.weight <= rule_.max_weight))
      return last;
  }
  BatchCall& call = *make_call(gathering);
  call.gathering = &gathering;
  gathering.calls.push_back(call);
  return call;
}

void BatchCore::share(Lock lock, BatchItem& owner, BatchItem& item) {
  const bool outside = !scheduler_.on_worker();
  enter(*owner.call, item);
  item.owner = &owner;
  owner.sharers.push_back(item);
  ++pending_;
  ++stats_.items;
  ++stats_.shared;
  waiting_.store(waiting_.load(std::memory_order_relaxed) + 1,
                 outside ? std::memory_order_seq_cst : std::memory_order_relaxed);
  const bool idle = outside && notice_idle();
  lock.unlock();
  if (idle) scheduler_.schedule(flush_task_);
}

void BatchCore::remove(BatchItem& item) {
  BatchCall& call = *item.call;
  Gathering& gathering = *call.gathering;
  waiting_.store(waiting_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  --call.callers;
  call.deadline_doubtful = true;
  if (item.owner != nullptr) {
    item.owner->sharers.erase(item);
    return;
  }
  if (!item.sharers.empty()) {
    // Another one stands for the key from now on. It goes before all others of its call, so it
    // counts as no younger than they.
    BatchItem& next = item.sharers.pop_front();
    next.owner = nullptr;
    next.came = call.items.front().came;
    call.items.push_front(next);
    while (!item.sharers.empty()) {
      BatchItem& sharer = item.sharers.pop_front();
      sharer.owner = &next;
      next.sharers.push_back(sharer);
    }
    call.items.erase(item);
    call.weight += next.weight - item.weight;
    gathering.weight += next.weight - item.weight;
    unlist(gathering, item, &next);
  } else {
    call.items.erase(item);
    call.weight -= item.weight;
    gathering.weight -= item.weight;
    unlist(gathering, item, nullptr);
    if (--call.count == 0) {
      gathering.calls.erase(call);
      call.let_go();
    }
    --gathering.count;
    gathering.asked = std::min(gathering.asked, gathering.count);
  }
  settle(gathering, false, latest_);
}

void BatchCore::settle(Gathering& gathering, bool served, Time now) {
  if (gathering.count > 0) {
    gathering.first = gathering.calls.front().items.front().came;
    queue_.place(gathering, rule_.due(look_at(gathering)), served, now);
    return;
  }
  queue_.remove(gathering);
  gathering.asked = 0;
  emptied(gathering);
}

void BatchCore::leave(BatchItem& item) {
  BatchCall* to_stop = nullptr;
  UnitBase* to_release = nullptr;
  {
    Lock lock(mutex_);
    switch (item.place) {
      case Place::nowhere:
      case Place::left:
        break;
      case Place::refused:
        forget(1);
        break;
      case Place::in_batch:
        ++stats_.left;
        if (item.call->gathering != nullptr) {
          remove(item);
          to_release = item.unit;
          forget(1);
          break;
        }
        if (++item.call->left == item.call->callers) {
          item.call->stop_wanted = true;
          if (item.call->has_scope) {
            to_stop = item.call;
            to_stop->holders.fetch_add(1, std::memory_order_relaxed);
            ++pending_;
          }
        }
        forget(1);
        break;
      case Place::detached:
        ++stats_.left;
        forget(1);
        break;
    }
    item.place = Place::left;
  }
  if (to_release != nullptr) to_release->release();
  if (to_stop == nullptr) return;
  to_stop->scope->core.stop(Errc::cancelled);
  to_stop->let_go();
  Lock lock(mutex_);
  forget(1);
}

void BatchCore::detach(BatchItem& item) {
  Lock lock(mutex_);
  if (item.place == Place::in_batch) item.place = Place::detached;
}

void BatchCore::count_unheard() {
  Lock lock(mutex_);
  ++stats_.unheard;
}

}  // namespace tram::work
