// What a batcher has done so far, and how it stands.
#pragma once

#include <array>

#include "tram/work/batch/flush_rule.h"

namespace tram::work {

struct BatchStats {
  uint64_t items = 0;    // Asked for, refused ones not counted.
  uint64_t shared = 0;   // Of these, for a key that was already in the batch.
  uint64_t left = 0;     // Of these, cancelled or timed out before they had a result.
  uint64_t refused = 0;  // Not taken: closed, or too many waited.
  uint64_t calls = 0;    // Of the batch function.
  uint64_t unheard = 0;  // Failures of posted items that nobody was told of.
  // Calls with 1, 2 to 3, 4 to 7, ... keys: the last counts all larger ones.
  std::array<uint64_t, 16> sizes = {};
  // Why they went; by FlushReason. Calls that get() made itself count as idle.
  std::array<uint64_t, flush_reasons> reasons = {};
  base::Duration waited;      // Of the first item of each call, from its coming to the call: sum,
  base::Duration waited_max;  // and longest.
  base::Duration service;     // How long a call takes: a moving average. Zero before the first.
  uint64_t waiting = 0;       // Items in no call yet.
  uint32_t in_flight = 0;
  uint32_t in_flight_max = 0;  // Ever.
  uint32_t limit = 0;          // Of calls in flight, as it is now.
  uint64_t max_items = 0;      // Of a call, as it is now.
  uint64_t held_up = 0;        // Times that a call had to wait for the rate limit.
  double saturation = 0;       // Calls in flight, of those that might have been: mean of all time.

  uint64_t flushed(FlushReason reason) const { return reasons[static_cast<size_t>(reason)]; }
};

}  // namespace tram::work
