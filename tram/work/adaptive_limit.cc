#include "tram/work/adaptive_limit.h"

#include <algorithm>
#include <exception>

namespace tram::work {

using base::Time;

AdaptiveLimit::Permit::Permit(AdaptiveLimit& limit, Time began, uint32_t in_flight)
    : limit_(&limit),
      began_(began),
      in_flight_(in_flight),
      exceptions_(std::uncaught_exceptions()) {}

AdaptiveLimit::Permit::~Permit() {
  if (!limit_) return;
  const bool leaving = std::uncaught_exceptions() > exceptions_;
  limit_->end(*this, leaving ? Outcome::overloaded : Outcome::cancelled, std::nullopt);
}

void AdaptiveLimit::Permit::report(Outcome outcome, Time now) {
  if (auto* limit = std::exchange(limit_, nullptr)) limit->end(*this, outcome, now);
}

std::optional<AdaptiveLimit::Permit> AdaptiveLimit::try_acquire(Time now) {
  uint32_t under_way = in_flight_.load(std::memory_order_relaxed);
  do {
    if (under_way >= limit()) return std::nullopt;
  } while (!in_flight_.compare_exchange_weak(under_way, under_way + 1, std::memory_order_acquire,
                                             std::memory_order_relaxed));
  return Permit(*this, now, under_way + 1);
}

void AdaptiveLimit::end(const Permit& permit, Outcome outcome, std::optional<Time> now) {
  std::optional<LimitChange> change;
  {
    std::scoped_lock lock(mutex_);
    const Time ended = now ? *now : std::max(controller_.latest(), permit.began_);
    change = controller_.add(
        {.latency = ended - permit.began_, .in_flight = permit.in_flight_, .outcome = outcome},
        ended);
    if (change) limit_.store(change->to, std::memory_order_relaxed);
  }
  in_flight_.fetch_sub(1, std::memory_order_release);
  heard(change);
}

void AdaptiveLimit::observe_queue(uint64_t waiting, uint64_t capacity, Time now) {
  std::optional<LimitChange> change;
  {
    std::scoped_lock lock(mutex_);
    change = controller_.observe_queue(waiting, capacity, now);
    if (change) limit_.store(change->to, std::memory_order_relaxed);
  }
  heard(change);
}

void AdaptiveLimit::heard(const std::optional<LimitChange>& change) const {
  if (change && on_change_) on_change_(*change);
}

base::Duration AdaptiveLimit::baseline() const {
  std::scoped_lock lock(mutex_);
  return controller_.baseline();
}

}  // namespace tram::work
