#include "tram/work/limit_controller.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tram::work {

using base::Duration;
using base::Time;

namespace {

// A trial is judged by how much of the expected fall in latency came.
constexpr double fall_expected_share = 0.5;
constexpr double step_judged_least = 0.15;
constexpr double step_down_most = 0.7;
constexpr double dip_depth = 0.75;
constexpr Duration shrink_every = std::chrono::milliseconds(250);
// Of ByQueueFill. A lull shorter than this many periods takes no workers away.
constexpr uint32_t empty_periods_least = 5;
constexpr double spare_workers = 1.25;
constexpr double worth_shrinking = 0.8;
constexpr double fall_least = 0.01;  // Of what fits; less is noise.

// Also false for what is not a number.
bool within(double value, double above, double below) { return value > above && value < below; }

const char* what_is_wrong(const Gradient& law) {
  if (!within(law.tolerance, 1, 1e6)) return "tolerance is not above 1";
  if (!within(law.back_off, 0, 1)) return "back_off is not between 0 and 1";
  if (!(law.drop_share_max >= 0 && law.drop_share_max < 1)) return "drop_share_max is not a share";
  if (law.samples_min < 1 || law.samples_min > 128) return "samples_min is not 1 to 128";
  if (law.window < Duration()) return "window is below 0";
  if (law.baseline_rise <= Duration()) return "baseline_rise is not above 0";
  if (law.dip_every <= Duration()) return "dip_every is not above 0";
  return nullptr;
}
const char* what_is_wrong(const Fixed&) { return nullptr; }
const char* what_is_wrong(const ByQueueFill& law) {
  if (!(law.low >= 0 && law.low < law.high && law.high <= 1))
    return "low and high are not shares, low below high";
  if (law.period <= Duration()) return "period is not above 0";
  return nullptr;
}

}  // namespace

std::string_view name_of(LimitReason reason) {
  switch (reason) {
    case LimitReason::headroom:
      return "headroom";
    case LimitReason::latency:
      return "latency";
    case LimitReason::drops:
      return "drops";
    case LimitReason::not_our_queue:
      return "not_our_queue";
    case LimitReason::dip:
      return "dip";
    case LimitReason::after_dip:
      return "after_dip";
    case LimitReason::unused:
      return "unused";
    case LimitReason::queue_full:
      return "queue_full";
    case LimitReason::queue_empty:
      return "queue_empty";
  }
  return "";
}

Result<LimitController> LimitController::make(LimitOptions options) {
  auto wrong = [](const char* what) { return failure(Errc::invalid_argument, what); };
  if (options.min < 1) return wrong("min is 0");
  if (options.max < options.min) return wrong("max is below min");
  if (options.initial < options.min || options.initial > options.max)
    return wrong("initial is not between min and max");
  const char* what =
      std::visit([](const auto& law) { return what_is_wrong(law); }, options.algorithm);
  if (what) return wrong(what);
  return LimitController(options);
}

LimitController::LimitController(const LimitOptions& options)
    : options_(options), limit_(options.initial) {}

std::optional<LimitChange> LimitController::add(const Sample& sample, Time now) {
  const auto* law = std::get_if<Gradient>(&options_.algorithm);
  if (!law) return std::nullopt;
  if (!started_) {
    now_ = now;
    started_ = true;
    learned_at_ = now;
    dip_due_ = now + law->dip_every;
    shrink_due_ = now + shrink_every;
    window_start_ = now - sample.latency;
  }
  now_ = std::max(now_, now);
  return add_to_gradient(*law, sample);
}

std::optional<LimitChange> LimitController::add_to_gradient(const Gradient& law,
                                                            const Sample& sample) {
  used_max_ = std::max(used_max_, sample.in_flight);
  used_lately_ = std::max(used_lately_, sample.in_flight);
  if (law.shrink_unused && now_ >= shrink_due_)
    if (auto changed = shrink(law)) return changed;
  if (sample.outcome == Outcome::cancelled) return std::nullopt;
  // What began before the last change tells of the limit before it.
  const Duration latency = std::max(sample.latency, Duration::from_nanoseconds(1));
  if (now_ - std::max(sample.latency, Duration()) < window_start_) return std::nullopt;

  if (sample.outcome == Outcome::ok) {
    latencies_[answers_++ % latencies_max] = static_cast<float>(latency.nanoseconds());
    in_flight_sum_ += sample.in_flight;
  } else {
    ++drops_;
  }
  const uint32_t outcomes = answers_ + drops_;
  if (drops_ > law.drop_share_max * std::max(outcomes, law.samples_min)) {
    // A trial or dip that ends in drops has shown nothing, and there is nothing to go back to.
    phase_ = Phase::steady;
    auto changed = change(limit_ * law.back_off, LimitReason::drops);
    start_window();
    return changed;
  }
  if (answers_ < law.samples_min || now_ - window_start_ < law.window) return std::nullopt;
  return end_window(law);
}

std::optional<LimitChange> LimitController::end_window(const Gradient& law) {
  const double latency = median();
  const double in_flight = in_flight_sum_ / answers_;
  const bool used = 2.0 * used_max_ >= std::floor(limit_);
  std::optional<LimitChange> changed;
  if (phase_ == Phase::dip) {
    changed = end_dip(law, latency, in_flight);
  } else if (phase_ == Phase::trial && !followed(latency, in_flight)) {
    phase_ = Phase::steady;
    baseline_ = latency;
    learned_at_ = now_;
    changed = change(limit_before_, LimitReason::not_our_queue);
  } else {
    learn_baseline(law, latency, used);
    const double ratio = law.tolerance * baseline_ / latency;
    if (!used) {
      // What is not used does no harm, and does not show what more would do.
      phase_ = Phase::steady;
    } else if (now_ >= dip_due_ && latency > 1.1 * baseline_) {
      begin(Phase::dip, latency, in_flight);
      changed =
          change(std::min(in_flight, limit_) * baseline_ / latency * dip_depth, LimitReason::dip);
    } else if (ratio >= 1) {
      phase_ = Phase::steady;
      const double left = std::min(1.0, (ratio - 1) / (law.tolerance - 1));
      changed = change(limit_ + left * std::sqrt(limit_), LimitReason::headroom);
    } else {
      if (phase_ != Phase::trial) begin(Phase::trial, latency, in_flight);
      changed = change(limit_ * std::max(ratio, step_down_most), LimitReason::latency);
    }
  }
  start_window();
  return changed;
}

void LimitController::begin(Phase phase, double latency, double in_flight) {
  phase_ = phase;
  limit_before_ = limit_;
  latency_before_ = latency;
  in_flight_before_ = in_flight;
}

// By what was under way, not by the limit: under a modest overload less than the limit was, and a
// lower limit may have changed little.
bool LimitController::followed(double latency, double in_flight) {
  const double step = 1 - in_flight / in_flight_before_;
  // Could not be told from noise: the trial goes on, with the steps that follow.
  if (step < step_judged_least) return true;
  const bool fell = latency < latency_before_ * (1 - fall_expected_share * step);
  if (fell && phase_ == Phase::trial) begin(Phase::trial, latency, in_flight);
  return fell;
}

std::optional<LimitChange> LimitController::end_dip(const Gradient& law, double latency,
                                                    double in_flight) {
  // Lower is certain, since nothing is faster than without a queue, and there may be more to find
  // soon. Higher, though it followed, may be somebody else's queue, or noise.
  const bool much_lower = latency < 0.9 * baseline_;
  if (much_lower || !followed(latency, in_flight))
    baseline_ = latency;
  else
    baseline_ = (baseline_ + latency) / 2;
  phase_ = Phase::steady;
  learned_at_ = now_;
  dip_due_ = now_ + Duration::from_nanoseconds(law.dip_every.nanoseconds() / (much_lower ? 10 : 1));
  return change(limit_before_, LimitReason::after_dip);
}

std::optional<LimitChange> LimitController::shrink(const Gradient& law) {
  std::optional<LimitChange> changed;
  if (4.0 * used_lately_ < limit_ && phase_ == Phase::steady)
    changed = change(std::max(limit_ / 2, 2.0 * used_lately_), LimitReason::unused);
  shrink_due_ = now_ + std::max(shrink_every, law.window);
  used_lately_ = 0;
  if (changed) start_window();
  return changed;
}

std::optional<LimitChange> LimitController::observe_queue(uint64_t waiting, uint64_t capacity,
                                                          uint32_t busy, Time now) {
  const auto* law = std::get_if<ByQueueFill>(&options_.algorithm);
  if (!law || capacity == 0) return std::nullopt;
  if (!started_) {
    started_ = true;
    now_ = window_start_ = now;
  }
  now_ = std::max(now_, now);
  // In floating point: in whole numbers a queue is empty until it is full.
  fill_sum_ += std::min(1.0, static_cast<double>(waiting) / static_cast<double>(capacity));
  ++fill_count_;
  used_max_ = std::max(used_max_, busy);
  if (now_ - window_start_ < law->period) return std::nullopt;
  window_start_ = now_;
  return end_period(*law, std::exchange(fill_sum_, 0) / std::exchange(fill_count_, 0));
}

std::optional<LimitChange> LimitController::end_period(const ByQueueFill& law, double fill) {
  // One that is full and falls has enough workers already.
  const bool falls = fill < fill_before_ - fall_least;
  fill_before_ = fill;
  empty_periods_ = fill < law.low ? empty_periods_ + 1 : 0;
  if (empty_periods_ > 0 && empty_periods_ < empty_periods_least) return std::nullopt;
  const double enough = std::ceil(spare_workers * used_max_);
  empty_periods_ = used_max_ = 0;
  if (fill > law.high && !falls) return change(2 * limit_, LimitReason::queue_full);
  if (fill < law.low && enough <= worth_shrinking * limit_)
    return change(enough, LimitReason::queue_empty);
  return std::nullopt;
}

std::optional<LimitChange> LimitController::change(double to, LimitReason reason) {
  const uint32_t from = limit();
  limit_ = std::clamp(to, static_cast<double>(options_.min), static_cast<double>(options_.max));
  if (limit() == from) return std::nullopt;
  return LimitChange{from, limit(), reason, now_};
}

void LimitController::learn_baseline(const Gradient& law, double latency, bool queued_perhaps) {
  if (baseline_ == 0) {
    baseline_ = latency;
  } else if (latency < 0.7 * baseline_) {
    // Too much for noise: the downstream has become faster, and how fast a dip will show, now.
    baseline_ = latency;
    dip_due_ = now_;
  } else if (latency < baseline_) {
    baseline_ += 0.2 * (latency - baseline_);
  } else {
    // Where the limit is not in use nothing of ours can wait, so there it may rise ten times as
    // fast.
    const double seconds = (now_ - learned_at_).seconds() * (queued_perhaps ? 1 : 10);
    baseline_ += (latency - baseline_) * -std::expm1(-seconds / law.baseline_rise.seconds());
  }
  learned_at_ = now_;
}

double LimitController::median() {
  const auto end = latencies_.begin() + std::min<size_t>(answers_, latencies_max);
  const auto middle = latencies_.begin() + (end - latencies_.begin()) / 2;
  std::nth_element(latencies_.begin(), middle, end);
  return static_cast<double>(*middle);
}

void LimitController::start_window() {
  window_start_ = now_;
  answers_ = drops_ = used_max_ = 0;
  in_flight_sum_ = 0;
}

}  // namespace tram::work
