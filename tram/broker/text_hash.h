// A quick hash of text for tables whose keys strangers choose.
//
// Seeded with a table's own address, so that nobody outside can prepare keys that collide.
// The seed changes only where things lie in a table, and no table that uses it is ever
// walked, so nothing that the broker does depends on it.
#pragma once

#include <cstdint>
#include <cstring>

#include "tram/base/bytes.h"
#include "tram/base/random.h"

namespace tram::broker {

// Multiplies to 128 bits and folds the halves: mixes every bit of both into all of the result.
inline uint64_t fold(uint64_t a, uint64_t b) {
  base::Wide product = static_cast<base::Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_text(base::BytesView text, uint64_t seed) {
  constexpr uint64_t k1 = 0x9E3779B97F4A7C15ULL, k2 = 0xD6E8FEB86659FD93ULL;
  auto load8 = [](const char* from) {
    uint64_t value;
    std::memcpy(&value, from, sizeof value);
    return value;
  };
  auto load4 = [](const char* from) {
    uint32_t value;
    std::memcpy(&value, from, sizeof value);
    return uint64_t{value};
  };
  auto byte = [](char c) { return uint64_t{static_cast<unsigned char>(c)}; };
  const char* at = text.data();
  size_t left = text.size();
  uint64_t hash = seed ^ (left * k2);
  for (; left >= 16; at += 16, left -= 16) hash = fold(load8(at) ^ k1, load8(at + 8) ^ hash);
  uint64_t low = 0, high = 0;
  if (left >= 8) {  // The pieces may overlap; the size, mixed in above, tells texts apart.
    low = load8(at);
    high = load8(at + left - 8);
  } else if (left >= 4) {
    low = load4(at);
    high = load4(at + left - 4);
  } else if (left > 0) {
    low = byte(at[0]) | byte(at[left / 2]) << 8 | byte(at[left - 1]) << 16;
  }
  return fold(fold(low ^ k1, high ^ hash), k2);
}

inline uint64_t seed_from_address(const void* table) {
  return fold(reinterpret_cast<uintptr_t>(table), 0xA0761D6478BD642FULL);
}

}  // namespace tram::broker
