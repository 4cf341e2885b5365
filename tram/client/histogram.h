// How long things took: counts in buckets whose width is 1/64 of their value, so any
// percentile is right to 1.6 % from a nanosecond to hours, in 24 kB and a few nanoseconds
// per value (the idea of HdrHistogram).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace tram::client {

class Histogram {
 public:
  void record(uint64_t value) {
    ++counts_[bucket_of(value)];
    ++total_;
    most_ = std::max(most_, value);
  }
  void add(const Histogram& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    most_ = std::max(most_, other.most_);
  }
  uint64_t count() const { return total_; }
  uint64_t max() const { return most_; }
  // The least value that at least `part` (0.999: 99.9 %) of all values do not exceed, rounded
  // up to its bucket's end. 0 if nothing was recorded.
  uint64_t percentile(double part) const {
    uint64_t wanted = static_cast<uint64_t>(part * static_cast<double>(total_) + 0.999999);
    wanted = std::clamp<uint64_t>(wanted, 1, std::max<uint64_t>(total_, 1));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted) return std::min(end_of(i), most_);
    }
    return most_;
  }

  // Values below 128 have a bucket each; above, each doubling has 64.
  static size_t bucket_of(uint64_t value) {
    if (value < 2 * halves) return static_cast<size_t>(value);
    unsigned shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
    shift = std::min(shift, doublings);
    uint64_t within = std::min<uint64_t>(value >> shift, 2 * halves - 1);
    return static_cast<size_t>(shift * halves + within);
  }
  // The largest value of a bucket.
  static uint64_t end_of(size_t bucket) {
    if (bucket < 2 * halves) return bucket;
    uint64_t shift = bucket / halves - 1;
    uint64_t within = bucket % halves + halves;
    return ((within + 1) << shift) - 1;
  }

 private:
  static constexpr unsigned bits = 6;
  static constexpr uint64_t halves = 1 << bits;
  static constexpr unsigned doublings = 45;

  std::array<uint64_t, (doublings + 2) * halves> counts_{};
  uint64_t total_ = 0;
  uint64_t most_ = 0;
};

}  // namespace tram::client
