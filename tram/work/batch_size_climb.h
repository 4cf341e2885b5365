// How many items a call should carry: climbs to where one more item no longer makes a call slot
// carry noticeably more per second, and stays below a latency that may not be passed.
//
// A call costs something once and something per item, so items per second of one slot grow with the
// size, ever more slowly. The climb tries steps of a quarter, one at a time, and goes on in a
// direction while it pays: up if that brings at least `gain_min` more items per second, down if it
// costs less than that, since of two sizes that are as good the smaller has the shorter wait. When
// neither pays it rests for `rest_calls`, and tries again, since the downstream may have changed. A
// mean latency above the target takes a quarter off, whatever else.
//
// Only calls that were at least four fifths full count: a thin batch tells nothing about the size.
//
// Threads: none; one at a time, with the batch's own lock. Cost: a few operations a call.
#pragma once

#include <cstdint>
#include <optional>

#include "tram/base/time.h"
#include "tram/work/error.h"

namespace tram::work {

class BatchSizeClimb {
 public:
  struct Options {
    uint32_t min = 1;  // At least 1.
    uint32_t max = 1000;
    uint32_t initial = 16;
    base::Duration latency_target = std::chrono::milliseconds(50);  // Of a call, on average.
    double gain_min = 0.03;  // Of items per second, for a step of a quarter; above 0, below 1.
    uint32_t calls_min = 8;  // That a size is judged by; at least 1.
    uint32_t rest_calls = 256;
  };
  enum class Reason { trying_more, trying_less, in_vain, latency };
  struct Change {
    uint32_t from;
    uint32_t to;
    Reason reason;
  };

  // Errors: Errc::invalid_argument, naming the option that cannot be.
  static Result<BatchSizeClimb> make(Options options);

  // One call has returned its items. Failed calls are not told: of those AdaptiveLimit hears.
  std::optional<Change> add(uint64_t items, base::Duration latency);
  // Always between min and max.
  uint32_t size() const { return size_; }

 private:
  explicit BatchSizeClimb(const Options& options) : options_(options), size_(options.initial) {}
  std::optional<Change> judge(double rate, double latency);
  std::optional<Change> go(uint32_t to, Reason reason);
  std::optional<Change> try_next();
  void turn();
  uint32_t up() const;
  uint32_t down() const;

  Options options_;
  uint32_t size_;
  uint32_t size_before_ = 0;  // Where the step came from; 0 when none is being tried.
  double rate_before_ = 0;
  bool upwards_ = true;
  int vain_ = 0;  // Directions found in vain, one after the other.
  uint32_t resting_calls_ = 0;
  uint32_t calls_ = 0;
  double items_ = 0;
  double seconds_ = 0;
};

}  // namespace tram::work
