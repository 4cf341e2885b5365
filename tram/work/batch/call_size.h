// How many keys a call of a batcher may have: a number, or one that is found by itself.
//
// Threads: none; guarded by its batcher's lock.
#pragma once

#include <concepts>
#include <optional>
#include <utility>
#include <variant>

#include "tram/work/batch_size_climb.h"

namespace tram::work {

// A number, or BatchSizeClimb::Options, which find one by themselves.
struct CallSize {
  template <std::integral N>
  CallSize(N fixed)  // NOLINT: implicit, for `.max_items = 100`
      : options(std::cmp_less(fixed, 0) ? uint64_t{0} : static_cast<uint64_t>(fixed)) {}
  CallSize(BatchSizeClimb::Options found)  // NOLINT: implicit
      : options(found) {}
  std::variant<uint64_t, BatchSizeClimb::Options> options;
};

}  // namespace tram::work
