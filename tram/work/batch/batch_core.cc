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
      slots_(settings_.inflight, scheduler.now()),
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

std::optional<Error> BatchCore::refusal() {
  if (!closed_ && waiting_.load(std::memory_order_relaxed) < settings_.waiting_max)
    return std::nullopt;
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
  item.place = Place::gathering;
  item.gathering = &gathering;
  item.came = latest_;
  gathering.items.push_back(item);
  ++gathering.count;
  gathering.weight += item.weight;
  ++pending_;
  ++stats_.items;
  // From outside, sequentially consistent: who goes to sleep then looks at this, or we see that it
  // sleeps. A worker sleeps after this itself.
  waiting_.store(waiting_.load(std::memory_order_relaxed) + 1,
                 outside ? std::memory_order_seq_cst : std::memory_order_relaxed);

  RunnableList calls;
  const bool due = rule_.due(look_at(gathering));
  if (due && !gathering.linked()) latest_ = scheduler_.now();
  if (first || due != gathering.linked()) queue_.place(gathering, due, false, latest_);
  if (due) {
    if (can_call()) take_due(false, latest_, calls);
  } else if (first) {
    set_timer();
  }
  const bool taken = !calls.empty();
  if (!taken && outside) notice_idle();
  lock.unlock();
  if (taken) scheduler_.schedule(std::move(calls));
}

void BatchCore::share(Lock lock, BatchItem& owner, BatchItem& item) {
  const bool outside = !scheduler_.on_worker();
  item.place = Place::gathering;
  item.gathering = owner.gathering;
  item.owner = &owner;
  owner.sharers.push_back(item);
  ++pending_;
  ++stats_.items;
  ++stats_.shared;
  waiting_.store(waiting_.load(std::memory_order_relaxed) + 1,
                 outside ? std::memory_order_seq_cst : std::memory_order_relaxed);
  if (outside) notice_idle();
  lock.unlock();
}

void BatchCore::remove(Gathering& gathering, BatchItem& item) {
  waiting_.store(waiting_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  if (item.owner != nullptr) {
    item.owner->sharers.erase(item);
    return;
  }
  if (!item.sharers.empty()) {
    // Another one stands for the key from now on. It goes before all others, so it counts as no
    // younger than they.
    BatchItem& next = item.sharers.pop_front();
    next.owner = nullptr;
    next.came = gathering.first;
    gathering.items.push_front(next);
    while (!item.sharers.empty()) {
      BatchItem& sharer = item.sharers.pop_front();
      sharer.owner = &next;
      next.sharers.push_back(sharer);
    }
    gathering.items.erase(item);
    gathering.weight += next.weight;
    gathering.weight -= item.weight;
    unlist(gathering, item, &next);
  } else {
    gathering.items.erase(item);
    gathering.weight -= item.weight;
    unlist(gathering, item, nullptr);
    --gathering.count;
    gathering.asked = std::min(gathering.asked, gathering.count);
  }
  settle(gathering, false, latest_);
}

void BatchCore::settle(Gathering& gathering, bool served, Time now) {
  if (gathering.count > 0) {
    gathering.first = gathering.items.front().came;
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
      case Place::gathering:
        remove(*item.gathering, item);
        ++stats_.left;
        to_release = item.unit;
        forget(1);
        break;
      case Place::in_call:
        ++stats_.left;
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
  if (item.place == Place::in_call) item.place = Place::detached;
}

void BatchCore::count_unheard() {
  Lock lock(mutex_);
  ++stats_.unheard;
}

}  // namespace tram::work
