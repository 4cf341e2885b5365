#include "tram/work/rate_limiter.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "tram/work/limits/turn.h"

namespace tram::work {

using base::Duration;
using base::Time;

// Shared by the limiter, those who wait, and the timer while it runs.
class RateLimiter::Core final : public TurnLine,
                                private Timer,
                                public std::enable_shared_from_this<Core> {
 public:
  Core(Scheduler& scheduler, Gcra gcra, size_t waiting_max)
      : Timer(&turn_has_come),
        scheduler_(scheduler),
        gcra_(std::move(gcra)),
        waiting_max_(waiting_max) {}

  bool try_acquire(uint64_t n) {
    if (n > 0 && waiting() > 0) return false;
    return gcra_.try_acquire(n, scheduler_.now());
  }

  Unit<void> acquire(const Spawner& in, uint64_t n, Duration at_most) {
    const Time now = scheduler_.now();
    auto& unit = TurnUnit<void>::make(in.core(), shared_from_this(), n,
                                      std::min(in.deadline(), now + at_most));
    Unit<void> handle(&unit);
    if (in.stopped()) {
      unit.cancel(in.core().stop_error());
      unit.release();
      return handle;
    }
    std::optional<Error> refused;
    bool enters = false;
    {
      std::lock_guard lock(mutex);
      if ((n > 0 && !turns.empty()) || !gcra_.try_acquire(n, now)) {
        refused = why_not(unit, now);
        enters = !refused;
        if (enters) enter(unit);
      }
    }
    if (enters)
      unit.wait();
    else if (refused)
      unit.end_with(std::unexpected(std::move(*refused)));
    else
      unit.end_with();
    return handle;
  }

  void pause_for(Duration duration) {
    const Time now = scheduler_.now();
    Turns hopeless;
    {
      std::lock_guard lock(mutex);
      gcra_.pause_until(now + duration);
      const uint64_t all = std::exchange(ahead_, 0);
      for (Turn* each = turns.first(); each != nullptr;) {
        Turn& turn = *each;
        each = turns.next(turn);
        if (gcra_.next_free(turn.count, now, ahead_) <= turn.latest) {
          ahead_ += turn.count;
        } else {
          // left() takes it off again.
          ahead_ += turn.count;
          if (!take(turn)) continue;
          static_cast<TurnUnit<void>&>(turn).store(std::unexpected(
              Error(Errc::overloaded, "a pause put its turn off until after its deadline")));
          hopeless.push_back(turn);
        }
      }
      TRAM_ASSERT(ahead_ <= all);
      set_timer(now);
    }
    end_all<void>(hopeless);
  }

  Duration wait_for(uint64_t n) {
    const Time now = scheduler_.now();
    std::lock_guard lock(mutex);
    const Time turn = gcra_.next_free(n, now, n == 0 ? 0 : ahead_);
    return turn == Time::never() ? Duration::forever() : turn - now;
  }
  size_t waiting() const { return waiting_.load(std::memory_order_acquire); }
  Gcra& gcra() { return gcra_; }

  void close() {
    Turns all;
    {
      std::lock_guard lock(mutex);
      while (!turns.empty()) {
        Turn& turn = turns.front();
        if (!take(turn)) continue;
        static_cast<TurnUnit<void>&>(turn).store(
            std::unexpected(Error(Errc::closed, "the rate limiter is gone")));
        all.push_back(turn);
      }
      set_timer(scheduler_.now());
    }
    end_all<void>(all);
  }

 private:
  std::optional<Error> why_not(const Turn& turn, Time now) {
    if (turn.count > gcra_.burst())
      return Error(Errc::invalid_argument, std::to_string(turn.count) +
                                               " tokens are more than the burst, " +
                                               std::to_string(gcra_.burst()));
    if (waiting() >= waiting_max_) return Error(Errc::overloaded, "too many wait (waiting_max)");
    if (gcra_.next_free(turn.count, now, ahead_) > turn.latest)
      return Error(Errc::overloaded, "its turn would come after its deadline");
    return std::nullopt;
  }

  // -- Under the lock.
  void enter(Turn& turn) {
    turns.push_back(turn);
    ahead_ += turn.count;
    waiting_.fetch_add(1, std::memory_order_release);
    if (&turns.front() == &turn) set_timer(scheduler_.now());
  }
  void left(Turn& turn) override {
    ahead_ -= turn.count;
    waiting_.fetch_sub(1, std::memory_order_release);
  }
  void gave_up() override { set_timer(scheduler_.now()); }
  // For the first in the line.
  void set_timer(Time now) {
    if (!turns.empty()) {
      keeps_itself_ = shared_from_this();
      scheduler_.start(*this, gcra_.next_free(turns.front().count, now));
    } else if (scheduler_.stop(*this)) {
      // Not the last of those who hold it: its caller does.
      keeps_itself_.reset();
    }
  }

  static void turn_has_come(Timer& timer) { static_cast<Core&>(timer).serve(); }
  void serve() {
    std::shared_ptr<Core> alive;
    Turns served;
    {
      std::lock_guard lock(mutex);
      alive = std::exchange(keeps_itself_, nullptr);
      const Time now = scheduler_.now();
      // Tokens taken for somebody who was being cancelled: for the next.
      uint64_t spare = 0;
      while (!turns.empty()) {
        Turn& turn = turns.front();
        const uint64_t more = turn.count - std::min(turn.count, spare);
        if (!gcra_.try_acquire(more, now)) break;
        spare += more;
        const uint64_t count = turn.count;
        if (!take(turn)) continue;
        spare -= count;
        static_cast<TurnUnit<void>&>(turn).store();
        served.push_back(turn);
      }
      if (spare > 0) gcra_.give_back(spare);
      set_timer(now);
    }
    end_all<void>(served);
  }

  Scheduler& scheduler_;
  Gcra gcra_;
  const size_t waiting_max_;
  std::atomic<size_t> waiting_ = 0;
  uint64_t ahead_ = 0;                  // Tokens that the line waits for.
  std::shared_ptr<Core> keeps_itself_;  // While the timer runs.
};

Result<RateLimiter> RateLimiter::make(Runtime& runtime, Options options) {
  Result<Gcra> gcra =
      Gcra::make({.rate = options.rate, .per = options.per, .burst = options.burst});
  if (!gcra) return std::unexpected(gcra.error());
  return RateLimiter(
      std::make_shared<Core>(runtime.scheduler(), std::move(*gcra), options.waiting_max));
}

RateLimiter& RateLimiter::operator=(RateLimiter&& other) noexcept {
  RateLimiter dying(std::exchange(core_, std::exchange(other.core_, nullptr)));
  return *this;
}

RateLimiter::~RateLimiter() {
  if (core_) core_->close();
}

bool RateLimiter::try_acquire(uint64_t n) { return core_->try_acquire(n); }

Unit<void> RateLimiter::acquire(const Spawner& in, uint64_t n, Duration at_most) {
  return core_->acquire(in, n, at_most);
}

void RateLimiter::pause_for(Duration duration) { core_->pause_for(duration); }

Duration RateLimiter::wait_for(uint64_t n) const { return core_->wait_for(n); }

Gcra& RateLimiter::gcra() { return core_->gcra(); }

size_t RateLimiter::waiting() const { return core_->waiting(); }

}  // namespace tram::work
