// How much may be under way at once, learned from how it goes: the control law alone, without
// threads. Fed with what happened, it says the limit. `AdaptiveLimit` is the same for many threads.
//
// It drives calls in flight, workers of a pool (a sample is a job; `shrink_unused` is for them),
// or whatever else has a number that should be as large as helps and no larger. The size of a
// batch has a law of its own: batch_size_climb.h.
//
// Threads: none; one at a time. Memory: fixed, about 600 bytes. Cost: a few operations per sample,
// and a selection among at most 128 numbers when a window ends.
//
// Gradient, the law
//
// Samples are gathered in windows. A window ends after `window` and `samples_min` answers, counting
// only requests that began after the last change: the others tell of the limit before. Its latency
// is the median of those that were answered. The baseline is what that would be without a queue:
//
//     ratio = tolerance * baseline / latency
//
//   drops           time-outs and rejections are no latencies. More of them than `drop_share_max`:
//                   limit * back_off, at once, and once per round trip.
//   ratio >= 1      up by sqrt(limit) * (share of the tolerance that is left), but only if at least
//                   half of the limit was in use at some time in the window.
//   ratio < 1       down, in proportion, by at most 30 %. Never up.
//   a trial         Going down is also an experiment. If the queue is ours, fewer in flight means a
//                   shorter wait, in proportion. If less than half of that came, it is the
//                   downstream's own latency: the way down is taken back, and the baseline is
//                   the new latency.
//   a dip           Under steady overload every sample has waited, and a baseline learned from
//                   them would creep up for ever. So while latency is above the baseline, each
//                   `dip_every` one window runs with three quarters of what the baseline says fits
//                   without a queue, and shows it afresh. Traffic goes on meanwhile.
//
// The baseline falls quickly to a lower latency, after a sharp fall with a dip at once, and rises
// slowly, with time constant `baseline_rise`, towards a higher one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "tram/base/time.h"
#include "tram/work/error.h"

namespace tram::work {

// How a piece of work ended, as the limit sees it. `cancelled`: nobody waited for it any more, so
// it says nothing. Any answer that came in time is `ok`, an error of the caller's own included.
enum class Outcome { ok, timed_out, overloaded, cancelled };

// Keeps what it starts with, between min and max.
struct Fixed {};

struct Gradient {
  double tolerance = 1.5;        // Latency over baseline at which growth ends; above 1.
  double back_off = 0.7;         // What drops leave of the limit; above 0, below 1.
  double drop_share_max = 0.05;  // Drops among the outcomes of a window that count as noise.
  uint32_t samples_min = 32;     // Answers in a window, at least; 1 to 128.
  base::Duration window = std::chrono::milliseconds(50);
  base::Duration baseline_rise = std::chrono::seconds(100);  // A tenth of it while unused.
  base::Duration dip_every = std::chrono::seconds(10);
  // Of workers that nobody needs: while less than a quarter of the limit is used, it halves each
  // quarter of a second, down to twice what was used.
  bool shrink_unused = false;
};

// By how full a queue before the workers is; for bodies whose latency says nothing. Samples are
// ignored, `observe_queue` counts.
//
// A full queue asks for more, and an empty one for no fewer than are busy: a queue is also empty
// when the number is right, and whoever takes workers away for that sees it fill up again, for
// ever. So a steady load has a steady number.
struct ByQueueFill {
  double high = 0.8;  // Fuller than this on average over a period, and not falling: twice as
                      // many.
  double low = 0.2;   // Emptier than this for five periods: a quarter more than were ever busy in
                      // them, if that is a fifth less. Between high and low: no change.
  base::Duration period = std::chrono::milliseconds(100);
};

struct LimitOptions {
  std::variant<Gradient, Fixed, ByQueueFill> algorithm = Gradient{};
  uint32_t min = 1;  // At least 1.
  uint32_t max = 256;
  uint32_t initial = 16;
};

enum class LimitReason {
  headroom,       // Latency is good and the limit was used.
  latency,        // Requests wait for each other downstream.
  drops,          // Time-outs or rejections.
  not_our_queue,  // A step down did not help, and is taken back.
  dip,            // Down for one window, to see the latency without a queue.
  after_dip,      // And back.
  unused,         // shrink_unused.
  queue_full,     // ByQueueFill.
  queue_empty,
};
std::string_view name_of(LimitReason reason);

struct LimitChange {
  uint32_t from;
  uint32_t to;
  LimitReason reason;
  base::Time at;
};

class LimitController {
 public:
  struct Sample {
    base::Duration latency;  // Since it began. Below a nanosecond counts as one.
    uint32_t in_flight = 1;  // How many were under way, it included, when it began.
    Outcome outcome = Outcome::ok;
  };

  // Errors: Errc::invalid_argument, naming the option that cannot be.
  static Result<LimitController> make(LimitOptions options);

  // What was changed by this, if anything. Time that goes back counts as standing still.
  std::optional<LimitChange> add(const Sample& sample, base::Time now);
  // For ByQueueFill: how many wait now, of how many that may, and how many workers are busy. A
  // capacity of 0 tells nothing.
  std::optional<LimitChange> observe_queue(uint64_t waiting, uint64_t capacity, uint32_t busy,
                                           base::Time now);

  // Always between min and max.
  uint32_t limit() const { return static_cast<uint32_t>(limit_); }
  // The latest time that add() or observe_queue() was told.
  base::Time latest() const { return now_; }
  // Zero until it is known; for people to read.
  base::Duration baseline() const {
    return base::Duration::from_nanoseconds(static_cast<int64_t>(std::min(baseline_, 9e18)));
  }

 private:
  static constexpr size_t latencies_max = 128;
  enum class Phase { steady, trial, dip };

  explicit LimitController(const LimitOptions& options);

  std::optional<LimitChange> add_to_gradient(const Gradient& law, const Sample& sample);
  std::optional<LimitChange> end_window(const Gradient& law);
  std::optional<LimitChange> end_dip(const Gradient& law, double latency, double in_flight);
  void begin(Phase phase, double latency, double in_flight);
  bool followed(double latency, double in_flight);
  std::optional<LimitChange> shrink(const Gradient& law);
  std::optional<LimitChange> end_period(const ByQueueFill& law, double fill);
  std::optional<LimitChange> change(double to, LimitReason reason);
  void learn_baseline(const Gradient& law, double latency, bool queued_perhaps);
  double median();
  void start_window();

  LimitOptions options_;
  double limit_;
  double baseline_ = 0;  // Nanoseconds; 0 is unknown.
  base::Time now_;
  base::Time learned_at_;
  base::Time dip_due_;
  base::Time shrink_due_;

  Phase phase_ = Phase::steady;
  double limit_before_ = 0;      // Of a trial or a dip.
  double latency_before_ = 0;    // Of a trial,
  double in_flight_before_ = 0;  // and what was really under way then.

  // The window, also ByQueueFill's period.
  base::Time window_start_;
  bool started_ = false;
  std::array<float, latencies_max> latencies_;
  uint32_t answers_ = 0;
  uint32_t drops_ = 0;
  uint32_t used_max_ = 0;
  double in_flight_sum_ = 0;  // Over answers_.
  uint32_t used_lately_ = 0;  // Since shrink_due_ was set.
  double fill_sum_ = 0;
  uint32_t fill_count_ = 0;
  double fill_before_ = 0;      // In the period before.
  uint32_t empty_periods_ = 0;  // In a row; used_max_ is over all of them.
};

}  // namespace tram::work
