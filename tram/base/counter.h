// Numbers that one thread writes and any thread may read: no lock, no locked instruction.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "tram/base/time.h"

namespace tram::base {

class Counter {
 public:
  void add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

// How long things took: counts in fixed buckets, as Prometheus shows them.
class LatencyHistogram {
 public:
  // Upper bounds in seconds; one more bucket catches the rest.
  static constexpr std::array<double, 14> bounds = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 10};

  void observe(Duration duration) {
    double seconds = duration.seconds();
    size_t bucket = 0;
    while (bucket < bounds.size() && seconds > bounds[bucket]) ++bucket;
    buckets_[bucket].add();
    nanoseconds_.add(static_cast<uint64_t>(duration.nanoseconds()));
  }
  // Observations in bucket `index` alone; `bounds.size()` is the catch-all.
  uint64_t bucket(size_t index) const { return buckets_[index].value(); }
  double sum_seconds() const { return static_cast<double>(nanoseconds_.value()) * 1e-9; }

 private:
  std::array<Counter, bounds.size() + 1> buckets_;
  Counter nanoseconds_;
};

}  // namespace tram::base
