// Which seeds a random test runs when no list of old failures is kept for it: as many as it says,
// or as the environment's TRAM_SEEDS says, starting at its TRAM_SEED.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace tram::work::test {

// `kept`: those that once failed, which run first and for ever.
inline std::vector<uint64_t> seeds_from_environment(uint64_t count,
                                                    std::vector<uint64_t> kept = {}) {
  const char* first_text = std::getenv("TRAM_SEED");
  const char* count_text = std::getenv("TRAM_SEEDS");
  const uint64_t first = first_text ? std::strtoull(first_text, nullptr, 10) : 1;
  if (count_text) count = std::strtoull(count_text, nullptr, 10);
  for (uint64_t i = 0; i < count; ++i) kept.push_back(first + i);
  return kept;
}

}  // namespace tram::work::test
