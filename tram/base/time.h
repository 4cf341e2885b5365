// Time and Duration, in nanoseconds. Arithmetic saturates instead of wrapping, so
// "for ever" stays for ever.
//
// A Duration is made from std::chrono's literals (`30s`), a Time only by a Clock or by
// adding to another Time: its zero is the clock's own affair.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace tram::base {

class Duration {
 public:
  constexpr Duration() = default;
  template <class Rep, class Period>
  constexpr Duration(std::chrono::duration<Rep, Period> value)  // NOLINT: implicit, for `30s`
      : nanoseconds_(
            std::chrono::duration_cast<std::chrono::duration<int64_t, std::nano>>(value).count()) {}
  static constexpr Duration from_nanoseconds(int64_t count) {
    Duration duration;
    duration.nanoseconds_ = count;
    return duration;
  }
  // Saturates: a count too large to hold is `forever()`.
  static constexpr Duration from_milliseconds(int64_t count) {
    constexpr int64_t most = std::numeric_limits<int64_t>::max() / 1'000'000;
    if (count > most) return forever();
    return from_nanoseconds((count < -most ? -most : count) * 1'000'000);
  }
  static constexpr Duration forever() {
    return from_nanoseconds(std::numeric_limits<int64_t>::max());
  }

  constexpr int64_t nanoseconds() const { return nanoseconds_; }
  constexpr int64_t milliseconds() const { return nanoseconds_ / 1'000'000; }
  constexpr double seconds() const { return static_cast<double>(nanoseconds_) * 1e-9; }
  constexpr std::chrono::nanoseconds chrono() const {
    return std::chrono::nanoseconds(nanoseconds_);
  }
  constexpr auto operator<=>(const Duration&) const = default;

 private:
  int64_t nanoseconds_ = 0;
};

class Time {
 public:
  constexpr Time() = default;
  static constexpr Time from_nanoseconds(int64_t since_zero) {
    Time time;
    time.nanoseconds_ = since_zero;
    return time;
  }
  static constexpr Time never() { return from_nanoseconds(std::numeric_limits<int64_t>::max()); }
  constexpr int64_t nanoseconds() const { return nanoseconds_; }
  constexpr auto operator<=>(const Time&) const = default;

 private:
  int64_t nanoseconds_ = 0;
};

constexpr int64_t add_saturating(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}
constexpr int64_t subtract_saturating(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return a > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

constexpr Duration operator+(Duration a, Duration b) {
  return Duration::from_nanoseconds(add_saturating(a.nanoseconds(), b.nanoseconds()));
}
constexpr Duration operator-(Duration a, Duration b) {
  return Duration::from_nanoseconds(subtract_saturating(a.nanoseconds(), b.nanoseconds()));
}
constexpr Time operator+(Time time, Duration duration) {
  return Time::from_nanoseconds(add_saturating(time.nanoseconds(), duration.nanoseconds()));
}
constexpr Time operator-(Time time, Duration duration) {
  return Time::from_nanoseconds(subtract_saturating(time.nanoseconds(), duration.nanoseconds()));
}
constexpr Duration operator-(Time later, Time earlier) {
  return Duration::from_nanoseconds(
      subtract_saturating(later.nanoseconds(), earlier.nanoseconds()));
}

}  // namespace tram::base
