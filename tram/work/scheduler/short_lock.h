// A mutex for a few instructions at a time: who finds it taken looks again for about a microsecond
// before it sleeps, since waking a thread takes twenty.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace tram::work {

inline constexpr int looks_max = 50;

inline void pause_for_a_moment() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

class ShortLock {
 public:
  void lock() {
    uint32_t seen = open;
    if (!state_.compare_exchange_strong(seen, taken, std::memory_order_acquire)) lock_slowly();
  }
  void unlock() {
    if (state_.exchange(open, std::memory_order_release) == wanted) state_.notify_one();
  }

 private:
  static constexpr uint32_t open = 0;
  static constexpr uint32_t taken = 1;
  static constexpr uint32_t wanted = 2;  // Taken, and somebody may sleep.

  void lock_slowly() {
    for (int looks = 0; looks < looks_max; ++looks) {
      pause_for_a_moment();
      uint32_t seen = open;
      if (state_.load(std::memory_order_relaxed) == open &&
          state_.compare_exchange_strong(seen, taken, std::memory_order_acquire))
        return;
    }
    while (state_.exchange(wanted, std::memory_order_acquire) != open)
      state_.wait(wanted, std::memory_order_relaxed);
  }

  std::atomic<uint32_t> state_ = open;
};

// The same of a mutex that somebody also sleeps under.
inline void lock_soon(std::mutex& mutex) {
  for (int looks = 0; looks < looks_max; ++looks) {
    if (mutex.try_lock()) return;
    pause_for_a_moment();
  }
  mutex.lock();
}

}  // namespace tram::work
