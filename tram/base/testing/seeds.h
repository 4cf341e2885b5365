// Which seeds a random test runs: those that once failed, kept for ever in a file beside it, then
// new ones: as many as the environment's TRAM_SEEDS says, starting at its TRAM_SEED.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <string>
#include <vector>

namespace tram::base::testing {

inline uint64_t number_from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// `kept_file` has a seed a line, and lines of comment that begin with #. `count_default`: how many
// new ones when TRAM_SEEDS does not say.
inline std::vector<uint64_t> seeds(const char* kept_file, uint64_t count_default) {
  std::vector<uint64_t> seeds;
  std::ifstream kept(kept_file);
  REQUIRE_MESSAGE(kept.good(), "cannot read " << kept_file);
  for (std::string line; std::getline(kept, line);)
    if (!line.empty() && line[0] != '#') seeds.push_back(std::strtoull(line.c_str(), nullptr, 10));
  uint64_t first = number_from_environment("TRAM_SEED", 1'000'000);
  uint64_t count = number_from_environment("TRAM_SEEDS", count_default);
  for (uint64_t i = 0; i < count; ++i) seeds.push_back(first + i);
  return seeds;
}

}  // namespace tram::base::testing
