// Calls: their beginning, their answer, their end.
#include <algorithm>
#include <bit>

#include "tram/base/assert.h"
#include "tram/work/batch/batch_core.h"

namespace tram::work {

using base::Duration;
using base::Time;
using Place = BatchItem::Place;

const UnitOps StandingUnit::operations{{[](Runnable&) {}},
                                       nullptr,
                                       nullptr,
                                       [](UnitBase&, Error) {},  // NOLINT: as UnitOps has it
                                       [](const UnitBase&) -> const Error* { return nullptr; },
                                       [](UnitBase&, Visitor&) {},
                                       [](UnitBase&) {},
                                       [] { return std::string_view("batch function"); }};

void CallScope::end() {
  // Its own is the one: most batch functions leave nothing behind.
  if (core.only_one_left() || core.wait()) return;
  core.stop(Errc::cancelled);
  TRAM_ASSERT(core.wait(), "a batch function's scope ends with units that can never end");
}

namespace {

// What the number of calls in flight learns from. An answer that came is one, whatever it says.
Outcome outcome_of(const Error* error) {
  if (error == nullptr) return Outcome::ok;
  if (*error == Errc::timed_out) return Outcome::timed_out;
  if (*error == Errc::overloaded) return Outcome::overloaded;
  if (*error == Errc::cancelled) return Outcome::cancelled;
  return Outcome::ok;
}

void count_size(BatchStats& stats, uint64_t keys) {
  size_t power = static_cast<size_t>(std::bit_width(keys)) - 1;
  ++stats.sizes[std::min(power, stats.sizes.size() - 1)];
}

}  // namespace

bool BatchCore::begin_alone(Time& began, uint32_t& in_flight) {
  if (!settings_.rule.looks_at_idle() || scheduler_.on_worker() || !scheduler_.idle()) return false;
  began = scheduler_.now();
  Lock lock(mutex_);
  if (closed_ || !can_call_thin() || waiting_.load(std::memory_order_relaxed) > 0) return false;
  if (settings_.limit != nullptr && !settings_.limit->try_acquire(1, began)) return false;
  slots_.take(true, began);
  in_flight = slots_.taken();
  ++pending_;
  ++stats_.items;
  ++stats_.calls;
  count_size(stats_, 1);
  ++stats_.reasons[static_cast<size_t>(FlushReason::idle)];
  return true;
}

void BatchCore::end_alone(Time began, uint32_t in_flight, const Error* error) {
  Time now = scheduler_.now();
  RunnableList calls;
  Lock lock(mutex_);
  slots_.give_back(
      true, {.latency = now - began, .in_flight = in_flight, .outcome = outcome_of(error)}, now);
  note_service(now - began);
  if (waiting_.load(std::memory_order_relaxed) > 0) take_due(nothing_runs(), now, calls);
  forget(1);
  if (calls.empty()) return;
  lock.unlock();
  scheduler_.schedule(std::move(calls));
}

void BatchCore::note_service(Duration service) {
  int64_t before = stats_.service.nanoseconds();
  int64_t taken = std::max<int64_t>(service.nanoseconds(), 1);
  stats_.service = Duration::from_nanoseconds(before == 0 ? taken : before + (taken - before) / 8);
}

bool BatchCore::begin(BatchCall& call) {
  Time now = scheduler_.now();
  call.began = now;
  RunnableList calls;
  base::IntrusiveList<BatchItem, BatchItem> gone;
  {
    Lock lock(mutex_);
    if (call.left > 0) {
      // Those of callers that have left meanwhile are not asked for.
      BatchItem* next = nullptr;
      for (BatchItem* each = call.items.first(); each != nullptr; each = next) {
        next = call.items.next(*each);
        BatchItem* sharer_next = nullptr;
        for (BatchItem* sharer = each->sharers.first(); sharer != nullptr; sharer = sharer_next) {
          sharer_next = each->sharers.next(*sharer);
          if (sharer->place != Place::left) continue;
          each->sharers.erase(*sharer);
          gone.push_back(*sharer);
        }
        if (each->place != Place::left || !each->sharers.empty()) continue;
        call.items.erase(*each);
        gone.push_back(*each);
        --call.count;
      }
    }
    if (call.count > 0 && call.needs_deadline && (call.left > 0 || call.deadline_doubtful)) {
      call.deadline = Time::from_nanoseconds(0);
      auto later = [&](const BatchItem& item) {
        if (item.place != Place::left) call.deadline = std::max(call.deadline, item.deadline);
      };
      for (auto* each = call.items.first(); each != nullptr; each = call.items.next(*each)) {
        later(*each);
        for (auto* also = each->sharers.first(); also != nullptr; also = each->sharers.next(*also))
          later(*also);
      }
    }
    if (call.count > 0) {
      ++stats_.calls;
      ++stats_.reasons[static_cast<size_t>(call.reason)];
      count_size(stats_, call.count);
      stats_.waited = stats_.waited + (now - call.first);
      stats_.waited_max = std::max(stats_.waited_max, now - call.first);
    }
    // What is not used after all is paid back.
    const bool by_item = settings_.limit_counts == LimitCounts::items;
    if (by_item || call.count == 0)
      give_back_tokens(call.tokens - std::min(call.tokens, call.count));
    if (call.count == 0) {
      slots_.give_back(
          call.thin,
          {.latency = Duration(), .in_flight = call.in_flight, .outcome = Outcome::cancelled}, now);
      take_due(false, now, calls);
    }
  }
  while (!gone.empty()) gone.pop_front().unit->release();
  if (call.count > 0) return true;
  scheduler_.schedule(std::move(calls));
  over(call, 0);
  return false;
}

void BatchCore::scope_made(BatchCall& call) {
  bool stop = false;
  {
    Lock lock(mutex_);
    call.has_scope = true;
    stop = call.stop_wanted;
  }
  if (stop) call.scope->core.stop(Errc::cancelled);
}

void BatchCore::answered(BatchCall& call, const Error* error) {
  Time now = scheduler_.now();
  RunnableList calls;
  Lock lock(mutex_);
  call.answered = true;
  ++answering_;
  Outcome outcome = call.stop_wanted ? Outcome::cancelled : outcome_of(error);
  slots_.give_back(call.thin,
                   {.latency = now - call.began, .in_flight = call.in_flight, .outcome = outcome},
                   now);
  if (outcome != Outcome::cancelled) note_service(now - call.began);
  if (climb_ && error == nullptr && outcome == Outcome::ok) {
    climb_->add(call.count, now - call.began);
    rule_.max_items = std::min<uint64_t>(climb_->size(), settings_.rule.max_items);
  }
  take_due(false, now, calls);
  lock.unlock();
  scheduler_.schedule(std::move(calls));
}

void BatchCore::over(BatchCall& call, uint64_t ended) {
  const bool outside = !scheduler_.on_worker();
  const bool answered = call.answered;
  call.let_go();
  Lock lock(mutex_);
  if (answered) --answering_;
  // A body that stepped aside is no worker now: nobody else may notice that all is idle.
  const bool idle = outside && waiting_.load(std::memory_order_relaxed) > 0 && notice_idle();
  forget(ended + 1);
  if (!idle) return;
  lock.unlock();
  scheduler_.schedule(flush_task_);
}

}  // namespace tram::work
