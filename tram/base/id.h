// Id<Tag>: a 64-bit number that cannot be passed where another kind of number is due.
// Zero means "none".
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace tram::base {

template <class Tag>
struct Id {
  uint64_t value = 0;

  explicit operator bool() const { return value != 0; }
  auto operator<=>(const Id&) const = default;
};

struct HashId {
  template <class Tag>
  size_t operator()(Id<Tag> id) const {
    // Multiplying by a large odd number spreads consecutive ids over the whole table.
    return id.value * 0x9E3779B97F4A7C15ULL;
  }
};

}  // namespace tram::base
