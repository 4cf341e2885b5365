// One worker's own tasks: the owner puts and takes at one end, last in first out, which finds its
// data still in the cache; thieves take the oldest at the other.
//
// Chase and Lev, "Dynamic circular work-stealing deque" (SPAA 2005), of fixed size, with the memory
// orders of Le, Pop, Cohen and Zappa Nardelli (PPoPP 2013), except that its fences are here
// sequentially consistent operations on `top_` and `bottom_`, which thread sanitizers understand.
//
// Threads: push and pop only by the owner; steal and empty by anybody.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>

#include "tram/work/scheduler/runnable.h"

namespace tram::work {

class WorkDeque {
 public:
  static constexpr int64_t capacity = 256;

  // False if it is full.
  bool push(Runnable& task) {
    int64_t bottom = bottom_.load(std::memory_order_relaxed);
    int64_t top = top_.load(std::memory_order_acquire);
    if (bottom - top >= capacity) return false;
    slot(bottom).store(&task, std::memory_order_relaxed);
    // Sequentially consistent, so that whoever looks for sleepers next, after this, is seen or
    // sees: see Scheduler::announce.
    bottom_.store(bottom + 1, std::memory_order_seq_cst);
    return true;
  }

  // As many as there is room for, the last one first to be popped; how many those are. They become
  // visible at once.
  size_t push(std::span<Runnable* const> tasks) {
    int64_t bottom = bottom_.load(std::memory_order_relaxed);
    int64_t room = capacity - (bottom - top_.load(std::memory_order_acquire));
    size_t count = std::min(tasks.size(), static_cast<size_t>(room));
    for (size_t i = 0; i < count; ++i)
      slot(bottom + static_cast<int64_t>(i)).store(tasks[i], std::memory_order_relaxed);
    if (count > 0) bottom_.store(bottom + static_cast<int64_t>(count), std::memory_order_seq_cst);
    return count;
  }

  // The newest, or nullptr.
  Runnable* pop() {
    int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
    if (top_.load(std::memory_order_relaxed) > bottom) return nullptr;
    bottom_.store(bottom, std::memory_order_seq_cst);
    int64_t top = top_.load(std::memory_order_seq_cst);
    if (top > bottom) {
      bottom_.store(bottom + 1, std::memory_order_relaxed);
      return nullptr;
    }
    Runnable* task = slot(bottom).load(std::memory_order_relaxed);
    if (top == bottom) {
      // The last one: a thief may be after it too.
      if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst)) task = nullptr;
      bottom_.store(bottom + 1, std::memory_order_relaxed);
    }
    return task;
  }

  // The oldest; nullptr if there is none, or another was faster.
  Runnable* steal() {
    int64_t top = top_.load(std::memory_order_seq_cst);
    int64_t bottom = bottom_.load(std::memory_order_seq_cst);
    if (top >= bottom) return nullptr;
    Runnable* task = slot(top).load(std::memory_order_relaxed);
    if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst)) return nullptr;
    return task;
  }

  bool empty() const {
    return top_.load(std::memory_order_seq_cst) >= bottom_.load(std::memory_order_seq_cst);
  }

 private:
  std::atomic<Runnable*>& slot(int64_t index) { return slots_[index & (capacity - 1)]; }

  alignas(64) std::atomic<int64_t> top_ = 0;
  alignas(64) std::atomic<int64_t> bottom_ = 0;
  alignas(64) std::atomic<Runnable*> slots_[capacity] = {};
};

}  // namespace tram::work
