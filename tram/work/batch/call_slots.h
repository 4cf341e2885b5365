// How many calls of a batcher may be in flight, and how much of that was used.
//
// Threads: none; guarded by its batcher's lock.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <utility>

#include "tram/work/limit_controller.h"

namespace tram::work {

// How many calls may be in flight: a number, or LimitOptions, which find one by themselves.
//
// By default full calls and others differ. A full one gains nothing by waiting, so these go at the
// same time, as many as help: at first four, at most 16, found by Gradient with windows as short as
// calls are few. Others, here called thin, wait while two of them are under way, or one more for
// every four full ones: so they gather.
struct InFlight {
  InFlight()
      : options{.algorithm = Gradient{.samples_min = 2, .window = std::chrono::milliseconds(1)},
                .min = 1,
                .max = 16,
                .initial = 4},
        thin_max(2) {}
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
  // Of these, calls that go before they are full and though nobody asked them to
  // (FlushReason::idle, slot, wait).
  uint32_t thin_max = std::numeric_limits<uint32_t>::max();

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
  CallSlots(LimitController controller, uint32_t thin_max, base::Time now)
      : controller_(std::move(controller)), thin_max_(thin_max), since_(now) {}

  bool free() const { return taken_ < limit(); }
  bool free_for_thin() const {
    return free() && thin_taken_ < uint64_t{thin_max_} + (taken_ - thin_taken_) / full_per_thin;
  }
  uint32_t taken() const { return taken_; }
  uint32_t taken_max() const { return taken_max_; }
  uint32_t limit() const { return controller_.limit(); }
  void take(bool thin, base::Time now) {
    account(now);
    thin_taken_ += thin ? 1 : 0;
    taken_max_ = std::max(taken_max_, ++taken_);
  }
  // `sample`: of the call that has ended.
  void give_back(bool thin, const LimitController::Sample& sample, base::Time now) {
    account(now);
    thin_taken_ -= thin ? 1 : 0;
    --taken_;
    controller_.add(sample, now);
  }
  double saturation(base::Time now) {
    account(now);
    return offered_ == 0 ? 0 : used_ / offered_;
  }

 private:
  static constexpr uint32_t full_per_thin = 4;
  void account(base::Time now) {
    if (now <= since_) return;
    auto passed = static_cast<double>((now - since_).nanoseconds());
    used_ += passed * taken_;
    offered_ += passed * limit();
    since_ = now;
  }
  LimitController controller_;
  uint32_t thin_max_;
  uint32_t taken_ = 0;
  uint32_t thin_taken_ = 0;
  uint32_t taken_max_ = 0;
  base::Time since_;
  double used_ = 0;
  double offered_ = 0;
};

}  // namespace tram::work
