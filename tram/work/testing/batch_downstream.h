// What the tests of the batcher share: runtimes of all kinds, and things to ask.
#pragma once

#include <doctest/doctest.h>
#include <mutex>
#include <vector>

#include "tram/work/batcher.h"
#include "tram/work/testing/everywhere.h"

namespace tram::work::test {

inline std::vector<int> squares_of(std::span<const int> keys) {
  std::vector<int> squares;
  for (int key : keys) squares.push_back(key * key);
  return squares;
}

// A downstream that remembers what it was asked.
struct Downstream {
  std::mutex mutex;
  std::vector<std::vector<int>> calls;
  std::vector<int> operator()(std::span<const int> keys) {
    std::lock_guard lock(mutex);
    calls.emplace_back(keys.begin(), keys.end());
    return squares_of(keys);
  }
  auto function() {
    return [this](std::span<const int> keys) { return (*this)(keys); };
  }
};

// No clock: these tests are to go by the other rules, however slow the machine.
inline constexpr base::Duration never = base::Duration::forever();

inline std::vector<int> ones_of(std::span<const int> keys) {
  return std::vector<int>(keys.size(), 1);
}

}  // namespace tram::work::test
