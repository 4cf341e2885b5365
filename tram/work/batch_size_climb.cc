#include "tram/work/batch_size_climb.h"

#include <algorithm>
#include <utility>

namespace tram::work {

using base::Duration;

Result<BatchSizeClimb> BatchSizeClimb::make(Options options) {
  auto wrong = [](const char* what) { return failure(Errc::invalid_argument, what); };
  if (options.min < 1) return wrong("min is 0");
  if (options.max < options.min) return wrong("max is below min");
  if (options.initial < options.min || options.initial > options.max)
    return wrong("initial is not between min and max");
  if (options.latency_target <= Duration()) return wrong("latency_target is not above 0");
  if (!(options.gain_min > 0 && options.gain_min < 1)) return wrong("gain_min is not a share");
  if (options.calls_min < 1) return wrong("calls_min is 0");
  return BatchSizeClimb(options);
}

std::optional<BatchSizeClimb::Change> BatchSizeClimb::add(uint64_t items, Duration latency) {
  if (static_cast<double>(items) < 0.8 * size_) return std::nullopt;
  ++calls_;
  items_ += static_cast<double>(items);
  seconds_ += std::max(latency, Duration::from_nanoseconds(1)).seconds();
  if (calls_ < options_.calls_min) return std::nullopt;
  auto changed = judge(items_ / seconds_, seconds_ / calls_);
  resting_calls_ -= std::min(resting_calls_, calls_);
  calls_ = 0;
  items_ = seconds_ = 0;
  return changed;
}

std::optional<BatchSizeClimb::Change> BatchSizeClimb::judge(double rate, double latency) {
  if (latency > options_.latency_target.seconds()) {
    size_before_ = 0;
    upwards_ = false;
    vain_ = 0;
    resting_calls_ = options_.rest_calls;
    return go(down(), Reason::latency);
  }
  if (size_before_ != 0) {
    const double enough = upwards_ ? 1 + options_.gain_min : 1 - options_.gain_min;
    if (rate < rate_before_ * enough) {
      turn();
      return go(std::exchange(size_before_, 0), Reason::in_vain);
    }
    vain_ = 0;
    size_before_ = 0;
  }
  if (resting_calls_ > 0) return std::nullopt;
  rate_before_ = rate;
  auto changed = try_next();
  if (changed) return changed;
  turn();  // At min or max, which is as good as in vain.
  return resting_calls_ > 0 ? std::nullopt : try_next();
}

std::optional<BatchSizeClimb::Change> BatchSizeClimb::try_next() {
  const uint32_t from = size_;
  auto changed = upwards_ ? go(up(), Reason::trying_more) : go(down(), Reason::trying_less);
  size_before_ = changed ? from : 0;
  return changed;
}

void BatchSizeClimb::turn() {
  upwards_ = !upwards_;
  if (++vain_ < 2) return;
  vain_ = 0;
  resting_calls_ = options_.rest_calls;
}

std::optional<BatchSizeClimb::Change> BatchSizeClimb::go(uint32_t to, Reason reason) {
  const uint32_t from = size_;
  size_ = std::clamp(to, options_.min, options_.max);
  if (size_ == from) return std::nullopt;
  return Change{from, size_, reason};
}

// Neither can wrap.
uint32_t BatchSizeClimb::up() const {
  return size_ + std::min(std::max(size_ / 4, 1U), options_.max - size_);
}
uint32_t BatchSizeClimb::down() const {
  return size_ - std::min(std::max(size_ / 4, 1U), size_ - 1);
}

}  // namespace tram::work
