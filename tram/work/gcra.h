// How often something may happen: GCRA, the generic cell rate algorithm, on one 64-bit word.
//
//   auto limit = Gcra::make({.rate = 500, .per = 1s, .burst = 50});
//   if (!limit->try_acquire(1, now)) return reject();
//
// Promises: starting at any moment, in a stretch of time W at most burst + W * rate / per tokens
// are given out, and a caller that keeps asking gets that many: nothing drifts, however long it
// runs and whether or not the rate divides a second. After a pause in use the bucket is full:
// `burst` may go at once. Between calls nothing runs: no thread, no timer, no refill.
//
// Threads: every method from any thread. Nothing waits and nothing allocates; a call is one load
// and, if it takes or returns something, one compare-and-swap. A refusal writes nothing.
//
// Time is an argument. Where two threads disagree about it, the earlier one is given less, never
// more; a time before the clock's zero counts as zero.
//
// What it leaves to others: who waits, and in which order. `acquire_at` says when a caller's
// turn is, `next_free` when it would be; waking it at that moment is a timer's affair.
//
// How it works. The word is the theoretical arrival time: the moment at which the bucket will be
// full again, if nothing more is taken.
//
//      now                         word          word + cost
//   ----|---------------------------|----------------|-----------------> units
//       |<------- at most allowance = burst * token --------->|
//
// It is counted in units, not nanoseconds, because a token of 3 per second is no whole number of
// them. A token is floor(per / rate) units, whole; a time is t * (rate * token) / per units,
// computed from the clock's zero each time, so what is rounded off is never added up. A unit is
// between one and two nanoseconds, and exactly one when the rate divides `per`.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "tram/base/random.h"
#include "tram/base/time.h"
#include "tram/work/error.h"

namespace tram::work {

class Gcra {
 public:
  struct Options {
    uint64_t rate = 0;                             // Tokens in each `per`; at least 1.
    base::Duration per = std::chrono::seconds(1);  // Above 0, at most ten years.
    uint64_t burst = 1;                            // Tokens at once; at least 1.
  };
  static constexpr int64_t per_nanoseconds_max = 3650LL * 24 * 3600 * 1'000'000'000;

  // Errors: Errc::invalid_argument, naming the option, for a rate or burst of 0, a `per` outside
  // its range, and a rate above one token per nanosecond. A burst worth more than 146 years of
  // the rate counts as that.
  static Result<Gcra> make(Options options) {
    auto wrong = [](const char* what) { return failure(Errc::invalid_argument, what); };
    int64_t per = options.per.nanoseconds();
    if (options.rate == 0) return wrong("rate is 0: nothing could ever go; at least 1");
    if (options.burst == 0) return wrong("burst is 0: nothing could ever go; at least 1");
    if (per <= 0) return wrong("per is not above 0");
    if (per > per_nanoseconds_max) return wrong("per is above ten years");
    if (options.rate > static_cast<uint64_t>(per))
      return wrong("rate is above one token per nanosecond");
    return Gcra(options.rate, static_cast<uint64_t>(per), options.burst);
  }
  // Only before other threads know of it.
  Gcra(Gcra&& other) noexcept
      : token_(other.token_),
        units_(other.units_),
        per_(other.per_),
        burst_(other.burst_),
        word_(other.word_.load(std::memory_order_relaxed)),
        floor_(other.floor_.load(std::memory_order_relaxed)) {}

  // Takes `n` tokens if they may go now. Never true for more than `burst`; true for 0.
  bool try_acquire(uint64_t n, base::Time now) {
    if (n > burst_) return false;
    const uint64_t cost = n * token_, at = units_of(now);
    if (cost == 0) return true;
    uint64_t word = word_.load(std::memory_order_relaxed);
    do {
      if (std::max(word, at) + cost > at + burst_ * token_) return false;
    } while (!word_.compare_exchange_weak(word, std::max(word, at) + cost,
                                          std::memory_order_acq_rel, std::memory_order_relaxed));
    return true;
  }

  // Takes `n` tokens now and says when they may be used: `now` or later. Whoever asks first goes
  // first, also past callers of try_acquire, who find the bucket empty meanwhile. A caller that
  // gives up before its time returns them with give_back(). Time::never(), with nothing taken, for
  // more than `burst` and when the turn is more than 290 years off.
  base::Time acquire_at(uint64_t n, base::Time now) {
    if (n > burst_) return base::Time::never();
    const uint64_t cost = n * token_, at = units_of(now);
    if (cost == 0) return now;
    uint64_t word = word_.load(std::memory_order_relaxed);
    uint64_t full = 0;
    do {
      full = std::max(word, at) + cost;
      if (full > units_max) return base::Time::never();
    } while (!word_.compare_exchange_weak(word, full, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return when(full, now);
  }

  // Returns `n` tokens that were taken and not used. The next to ask may have them; reservations
  // made meanwhile keep their times. Returning what was not taken fills the bucket, at most.
  void give_back(uint64_t n) {
    const uint64_t cost = std::min(n, units_max / token_) * token_;
    uint64_t word = word_.load(std::memory_order_acquire), less = 0;
    do {
      // Not below the floor, or tokens returned during a pause would end it early.
      less = std::max(word - std::min(word, cost), floor_.load(std::memory_order_relaxed));
      if (less >= word) return;
    } while (!word_.compare_exchange_weak(word, less, std::memory_order_acq_rel,
                                          std::memory_order_acquire));
  }

  // Gives out nothing before `until`, and one token then: a downstream that said 429 is not met
  // with a whole burst. What was reserved before keeps its time. Never shortens a pause, and a
  // time that has passed changes nothing that a caller could see.
  void pause_until(base::Time until) {
    const uint64_t allowance = burst_ * token_, at = std::min(units_of(until), units_max);
    const uint64_t least = std::min(at + (allowance - token_), units_max);
    raise(floor_, least);
    raise(word_, least);
  }

  // When `n` tokens could go if nobody else asked meanwhile but those who are to have `ahead` of
  // them first: `now` or later. Takes nothing. Time::never() as for acquire_at().
  base::Time next_free(uint64_t n, base::Time now, uint64_t ahead = 0) const {
    if (n > burst_) return base::Time::never();
    if (n == 0 && ahead == 0) return now;
    base::Wide full = std::max(word_.load(std::memory_order_relaxed), units_of(now));
    full += (base::Wide{ahead} + n) * token_;
    return full > units_max ? base::Time::never() : when(static_cast<uint64_t>(full), now);
  }

  uint64_t burst() const { return burst_; }

 private:
  // Half of what the word can hold, so that no sum of a word, or a time, and a cost can wrap.
  static constexpr uint64_t units_max = std::numeric_limits<int64_t>::max();
  static constexpr uint64_t allowance_max = uint64_t{1} << 62;

  Gcra(uint64_t rate, uint64_t per, uint64_t burst)
      : token_(per / rate),
        units_(rate * token_),
        per_(per),
        burst_(std::min(burst, allowance_max / token_)) {}

  uint64_t units_of(base::Time time) const {
    const auto t = static_cast<uint64_t>(std::max<int64_t>(time.nanoseconds(), 0));
    return units_ == per_ ? t : static_cast<uint64_t>(base::Wide{t} * units_ / per_);
  }
  // The first nanosecond at which the bucket that will be full at `full` holds what was asked.
  base::Time when(uint64_t full, base::Time now) const {
    const uint64_t allowance = burst_ * token_;
    if (full <= allowance) return now;
    base::Wide t = full - allowance;
    if (units_ != per_) t = (t * per_ + units_ - 1) / units_;
    if (t > units_max) return base::Time::never();
    return std::max(now, base::Time::from_nanoseconds(static_cast<int64_t>(t)));
  }
  static void raise(std::atomic<uint64_t>& word, uint64_t least) {
    uint64_t now = word.load(std::memory_order_relaxed);
    while (now < least && !word.compare_exchange_weak(now, least, std::memory_order_acq_rel,
                                                      std::memory_order_relaxed)) {
    }
  }

  const uint64_t token_;  // Units that a token costs.
  const uint64_t units_;  // Units in each per_: rate * token_, at most per_ and above half of it.
  const uint64_t per_;    // Nanoseconds.
  const uint64_t burst_;
  std::atomic<uint64_t> word_ = 0;
  // What give_back() must not go below; written before word_ by pause_until(), so whoever reads
  // the raised word reads the floor too.
  std::atomic<uint64_t> floor_ = 0;
};

}  // namespace tram::work
