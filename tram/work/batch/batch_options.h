// How a batcher behaves, as its user says it.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <variant>

#include "tram/work/batch/batch_core.h"
#include "tram/work/rate_limiter.h"
#include "tram/work/scope.h"

namespace tram::work {

// Items of one partition may share a call; those of different ones never do. Any number,
// enumerator or text.
class Partition {
 public:
  Partition() = default;
  template <class N>
    requires(std::integral<N> || std::is_enum_v<N>)
  Partition(N number) : value_(static_cast<uint64_t>(number)) {}   // NOLINT: implicit
  Partition(std::string text) : value_(std::move(text)) {}         // NOLINT: implicit
  Partition(std::string_view text) : value_(std::string(text)) {}  // NOLINT: implicit
  Partition(const char* text) : value_(std::string(text)) {}       // NOLINT: implicit
  friend bool operator==(const Partition&, const Partition&) = default;
  std::string text() const {
    const auto* number = std::get_if<uint64_t>(&value_);
    return number != nullptr ? std::to_string(*number) : std::get<std::string>(value_);
  }
  struct Hash {
    size_t operator()(const Partition& partition) const {
      return std::hash<std::variant<uint64_t, std::string>>()(partition.value_);
    }
  };

 private:
  std::variant<uint64_t, std::string> value_;
};

// A RateLimiter or a Gcra, or nothing.
class CallLimit {
 public:
  CallLimit() = default;
  CallLimit(Gcra* tokens) : gcra_(tokens) {}  // NOLINT: implicit
  CallLimit(RateLimiter* limiter) : gcra_(limiter ? &limiter->gcra() : nullptr) {}  // NOLINT
  CallLimit(std::nullptr_t) {}  // NOLINT: implicit
  Gcra* gcra() const { return gcra_; }

 private:
  Gcra* gcra_ = nullptr;
};

// The options whatever the key, and what they become.
struct PlainBatchOptions {
  CallSize size;
  uint64_t max_weight;
  bool weighs;
  base::Duration max_wait;
  std::optional<base::Duration> slot_wait;
  Flush flush;
  InFlight inflight;
  Gcra* limit;
  LimitCounts limit_counts;
  uint64_t waiting_max;
  bool dedup;
  bool caches;
  bool can_hash;
  bool can_copy;
  std::string name;
};
BatchCore::Settings check_settings(PlainBatchOptions options);

enum class Cache : uint8_t {
  none,
  // Who asks again for a key within one scope is given the same unit, unless that has failed.
  per_scope,
};

template <class Key>
struct BatchOptions {
  // In one call: a number; or BatchSizeClimb::Options, and it is found by itself.
  CallSize max_items = 100;
  uint64_t max_weight = 0;                                 // In one call; 0: no limit.
  std::function<uint64_t(const Key&)> weight = {};         // Goes with max_weight.
  base::Duration max_wait = std::chrono::milliseconds(1);  // From the first item; not a schedule.
  // See FlushReason::slot. Nothing: as long as a call takes, measured, but at least 100 us.
  std::optional<base::Duration> slot_wait = {};
  Flush flush = Flush::when_idle;
  // Calls at the same time: a number; or LimitOptions, and it is found by itself. By default two,
  // and of full ones what is found to help, at most 16: see InFlight.
  InFlight inflight = {};
  // How often calls may be made, or how many items may go. Several batchers and others may share
  // one; it outlives them.
  CallLimit limit = {};
  LimitCounts limit_counts = LimitCounts::calls;
  // Of items that wait. At the limit further ones are refused with Errc::overloaded.
  uint64_t waiting_max = 1'000'000;
  // Equal keys in one batch are one key of the call, and each caller has a copy of its result.
  // Needs std::hash<Key> and ==.
  bool dedup = false;
  Cache cache = Cache::none;  // Needs the same.
  std::function<Partition(const Key&, const Spawner&)> partition = {};
  // Of posted items that failed, since nobody waits for them. Any thread; must not throw.
  std::function<void(const Key&, const Error&)> on_lost = {};
  std::string name = "batcher";
};

// `can_hash`, `can_copy`: what the types of the batcher allow. Throws a Failure that says what is
// wrong.
template <class Key>
BatchCore::Settings settings_of(const BatchOptions<Key>& options, bool can_hash, bool can_copy) {
  return check_settings({.size = options.max_items,
                         .max_weight = options.max_weight,
                         .weighs = static_cast<bool>(options.weight),
                         .max_wait = options.max_wait,
                         .slot_wait = options.slot_wait,
                         .flush = options.flush,
                         .inflight = options.inflight,
                         .limit = options.limit.gcra(),
                         .limit_counts = options.limit_counts,
                         .waiting_max = options.waiting_max,
                         .dedup = options.dedup,
                         .caches = options.cache != Cache::none,
                         .can_hash = can_hash,
                         .can_copy = can_copy,
                         .name = options.name});
}

}  // namespace tram::work
