// When a batch goes: the decision alone, without clock, lock or thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tram/base/time.h"

namespace tram::work {

// What makes a batch go. Besides, every kind of batch goes when the batcher is asked to (flush()),
// and when it is closed.
enum class Flush : uint8_t {
  // As soon as nothing is left to run that could add to it; or it is full; or it has waited long
  // enough.
  when_idle,
  // The same, but being full is no reason: what depends on each other goes level by level, in the
  // fewest calls that there can be, and no call begins while others are still being asked for.
  only_idle,
  by_size,  // When it is full, and only then: what comes last waits for flush() or close().
  timed,    // When it is full, or max_wait after its first item.
  manual,   // Only when asked. A larger one than max_items is several calls.
};

// TRAM_FLUSH_REASONS(X): X(reason, sentence).
#define TRAM_FLUSH_REASONS(X)                                                     \
  X(closed, "the batcher was closed")                                             \
  X(asked, "flush() was called")                                                  \
  X(items, "it had max_items")                                                    \
  X(weight, "it had max_weight")                                                  \
  X(idle, "nothing was left to run that could have added to it")                  \
  X(slot, "a call could be made, and it had waited as long as a call was taking") \
  X(wait, "its first item had waited for max_wait")

enum class FlushReason : uint8_t {
#define TRAM_FLUSH_REASON(reason, sentence) reason,
  TRAM_FLUSH_REASONS(TRAM_FLUSH_REASON)
#undef TRAM_FLUSH_REASON
};
inline constexpr size_t flush_reasons = 7;
// Such as "idle".
std::string_view name_of(FlushReason reason);
std::string_view sentence_of(FlushReason reason);

struct FlushRule {
  Flush flush = Flush::when_idle;
  uint64_t max_items = 100;
  uint64_t max_weight = 0;  // 0: no limit.
  base::Duration max_wait = std::chrono::milliseconds(1);
  // How long the first item waits for others while a call could be made; nothing: as long as a call
  // takes, once that is known.
  std::optional<base::Duration> slot_wait = {};

  // Below this a timer would cost more than it gives.
  static constexpr base::Duration slot_wait_min = std::chrono::microseconds(100);

  struct Waiting {
    uint64_t items = 0;
    uint64_t weight = 0;
    base::Time first = base::Time::never();  // When the first one came.
    // Of them all is decided already, why.
    std::optional<FlushReason> asked = {};
    bool closed = false;
  };
  bool looks_at_idle() const { return flush == Flush::when_idle || flush == Flush::only_idle; }
  // Why it should go, given that a call could be made now. `service`: how long a call takes; zero
  // if unknown.
  std::optional<FlushReason> reason(const Waiting& waiting, bool idle, base::Duration service,
                                    base::Time now) const;
  // Whether it should go whatever the time, and whoever could still add to it.
  bool due(const Waiting& waiting) const;
  // How long the first item waits at most; forever if time makes none of these go.
  base::Duration patience(base::Duration service) const;

 private:
  base::Duration slot_patience(base::Duration service) const;
};

}  // namespace tram::work
