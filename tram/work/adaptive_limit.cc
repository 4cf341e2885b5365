#include "tram/work/adaptive_limit.h"

#include <algorithm>
#include <exception>

#include "tram/work/limits/turn.h"

namespace tram::work {

using base::Time;

class AdaptiveLimit::Line final : public TurnLine {
 public:
  explicit Line(size_t waiting_max) : waiting_max_(waiting_max) {}
  // With `in_flight_`, in one order for all threads: who gives a place back sees who waits for it,
  // or who comes to wait sees the place.
  size_t waiting() const { return waiting_.load(std::memory_order_seq_cst); }
  // False if it is full.
  bool enter(Turn& turn) {
    std::scoped_lock lock(mutex);
    if (waiting() >= waiting_max_) return false;
    turns.push_back(turn);
    waiting_.fetch_add(1, std::memory_order_seq_cst);
    return true;
  }

 protected:
  void left(Turn&) override { waiting_.fetch_sub(1, std::memory_order_seq_cst); }
  // A place is given to whoever is first: nobody's turn comes sooner by it.
  void gave_up() override {}

 private:
  const size_t waiting_max_;
  std::atomic<size_t> waiting_ = 0;
};

AdaptiveLimit::AdaptiveLimit(LimitController controller, OnChange on_change, size_t waiting_max)
    : limit_(controller.limit()),
      controller_(std::move(controller)),
      on_change_(std::move(on_change)),
      line_(std::make_shared<Line>(waiting_max)) {}

AdaptiveLimit::~AdaptiveLimit() { TRAM_ASSERT(in_flight() == 0 && waiting() == 0); }

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

bool AdaptiveLimit::take_place(uint32_t& under_way) {
  under_way = in_flight_.load(std::memory_order_seq_cst);
  do {
    if (under_way >= limit_.load(std::memory_order_seq_cst)) return false;
  } while (!in_flight_.compare_exchange_weak(under_way, under_way + 1, std::memory_order_acquire,
                                             std::memory_order_relaxed));
  return true;
}

std::optional<AdaptiveLimit::Permit> AdaptiveLimit::try_acquire(Time now) {
  uint32_t under_way = 0;
  if (line_->waiting() > 0 || !take_place(under_way)) return std::nullopt;
  return Permit(*this, now, under_way + 1);
}

Unit<AdaptiveLimit::Permit> AdaptiveLimit::acquire(const Spawner& in) {
  auto& unit = TurnUnit<Permit>::make(in.core(), line_, 1, Time::never());
  Unit<Permit> handle(&unit);
  if (in.stopped()) {
    unit.cancel(in.core().stop_error());
    unit.release();
  } else if (std::optional<Permit> permit = try_acquire(in.now())) {
    unit.end_with(std::move(*permit));
  } else if (line_->enter(unit)) {
    serve();
    unit.wait();
  } else {
    unit.end_with(std::unexpected(Error(Errc::overloaded, "too many wait (waiting_max)")));
  }
  return handle;
}

void AdaptiveLimit::serve() {
  if (line_->waiting() == 0) return;
  Turns served;
  {
    std::scoped_lock lock(line_->mutex);
    uint32_t under_way = 0;
    while (!line_->turns.empty() && take_place(under_way)) {
      Turn& turn = line_->turns.front();
      if (!line_->take(turn)) {
        in_flight_.fetch_sub(1, std::memory_order_seq_cst);
        continue;
      }
      static_cast<TurnUnit<Permit>&>(turn).store(
          Permit(*this, turn.unit.scope().scheduler().now(), under_way + 1));
      served.push_back(turn);
    }
  }
  end_all<Permit>(served);
}

size_t AdaptiveLimit::waiting() const { return line_->waiting(); }

void AdaptiveLimit::end(const Permit& permit, Outcome outcome, std::optional<Time> now) {
  std::optional<LimitChange> change;
  {
    std::scoped_lock lock(mutex_);
    const Time ended = now ? *now : std::max(controller_.latest(), permit.began_);
    change = controller_.add(
        {.latency = ended - permit.began_, .in_flight = permit.in_flight_, .outcome = outcome},
        ended);
    if (change) limit_.store(change->to, std::memory_order_seq_cst);
  }
  in_flight_.fetch_sub(1, std::memory_order_seq_cst);
  heard(change);
  serve();
}

void AdaptiveLimit::observe_queue(uint64_t waiting, uint64_t capacity, Time now) {
  std::optional<LimitChange> change;
  {
    std::scoped_lock lock(mutex_);
    change = controller_.observe_queue(waiting, capacity, in_flight(), now);
    if (change) limit_.store(change->to, std::memory_order_seq_cst);
  }
  heard(change);
  serve();
}

void AdaptiveLimit::heard(const std::optional<LimitChange>& change) const {
  if (change && on_change_) on_change_(*change);
}

base::Duration AdaptiveLimit::baseline() const {
  std::scoped_lock lock(mutex_);
  return controller_.baseline();
}

}  // namespace tram::work
