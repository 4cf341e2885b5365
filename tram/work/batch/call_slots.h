// How many calls of a batcher may be in flight, and how much of that was used.
//
// Threads: none; guarded by its batcher's lock.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <utility>

#include "tram/work/limit_controller.h"

namespace tram::work {

// How many calls may be in flight: a number, or LimitOptions, which find one by themselves.
struct InFlight {
  template <std::integral N>
  InFlight(N fixed)  // NOLINT: implicit, for `.inflight = 8`
      : InFlight(LimitOptions{.algorithm = Fixed{},
                              .min = in_range(fixed),
                              .max = in_range(fixed),
                              .initial = in_range(fixed)}) {}
  InFlight(LimitOptions found)  // NOLINT: implicit, for `.inflight = LimitOptions{.max = 8}`
      : options(found) {
    // Its default is meant for requests, of which there are more than batches.
    options.initial = std::clamp(options.initial, options.min, std::max(options.min, options.max));
  }
  LimitOptions options;

 private:
  // What is below comes out as 0, which is refused by name.
  template <std::integral N>
  static uint32_t in_range(N number) {
    if (std::cmp_less(number, 0)) return 0;
    constexpr uint32_t most = std::numeric_limits<uint32_t>::max();
    return std::cmp_greater(number, most) ? most : static_cast<uint32_t>(number);
  }
};

class CallSlots {
 public:
  CallSlots(LimitController controller, base::Time now)
      : controller_(std::move(controller)), since_(now) {}

  bool free() const { return taken_ < limit(); }
  uint32_t taken() const { return taken_; }
  uint32_t taken_max() const { return taken_max_; }
  uint32_t limit() const { return controller_.limit(); }
  void take(base::Time now) {
    account(now);
    taken_max_ = std::max(taken_max_, ++taken_);
  }
  // `sample`: of the call that has ended.
  void give_back(const LimitController::Sample& sample, base::Time now) {
    account(now);
    --taken_;
    controller_.add(sample, now);
  }
  double saturation(base::Time now) {
    account(now);
    return offered_ == 0 ? 0 : used_ / offered_;
  }

 private:
  void account(base::Time now) {
    if (now <= since_) return;
    auto passed = static_cast<double>((now - since_).nanoseconds());
    used_ += passed * taken_;
    offered_ += passed * limit();
    since_ = now;
  }
  LimitController controller_;
  uint32_t taken_ = 0;
  uint32_t taken_max_ = 0;
  base::Time since_;
  double used_ = 0;
  double offered_ = 0;
};

}  // namespace tram::work
