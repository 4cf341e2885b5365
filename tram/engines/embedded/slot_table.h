// Things under numbers that are not mistaken for each other when a number is used again.
//
// A number is (loop: 8 bits | generation: 24 | slot: 32), so whoever sees it knows which loop to
// ask, and a look-up is one index. Slots are used again with another generation.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "tram/base/assert.h"

namespace tram::engines::embedded {

inline uint32_t loop_of(uint64_t number) { return static_cast<uint32_t>(number >> 56); }

template <class Id, class T>
class SlotTable {
 public:
  explicit SlotTable(uint32_t loop) : loop_(loop) { TRAM_ASSERT(loop < 256, loop); }

  Id add(T value) {
    uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Slot& place = slots_[slot];
    place.value = std::move(value);
    place.used = true;
    return {uint64_t{loop_} << 56 | uint64_t{place.generation} << 32 | slot};
  }
  // nullptr for a number whose thing has gone.
  T* find(Id id) {
    auto slot = static_cast<uint32_t>(id.value);
    if (slot >= slots_.size()) return nullptr;
    Slot& place = slots_[slot];
    bool same = place.used && place.generation == (id.value >> 32 & generation_mask);
    return same ? &place.value : nullptr;
  }
  void remove(Id id) {
    TRAM_ASSERT(find(id) != nullptr, id.value);
    auto slot = static_cast<uint32_t>(id.value);
    Slot& place = slots_[slot];
    place.value = T();
    place.used = false;
    place.generation = (place.generation + 1) & generation_mask;
    if (place.generation == 0) place.generation = 1;
    free_.push_back(slot);
  }
  size_t size() const { return slots_.size() - free_.size(); }

 private:
  static constexpr uint32_t generation_mask = (1u << 24) - 1;
  struct Slot {
    T value{};
    uint32_t generation = 1;  // Never 0, so no number is 0.
    bool used = false;
  };
  uint32_t loop_;
  std::deque<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace tram::engines::embedded
