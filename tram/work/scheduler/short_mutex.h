// For what is held for a few instructions only: its holder is mostly done before a thread could
// have gone to sleep and been woken, so who comes tries again for a moment first, and then sleeps.
//
//   free ──lock()──► held ──somebody sleeps──► wanted      unlock(): free, and of `wanted` one
//   wakes
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace tram::work {

inline void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// About a microsecond: to be woken takes twenty.
inline constexpr int looks_before_sleep = 60;

class ShortMutex {
 public:
  void lock() {
    uint32_t was = free;
    if (!state_.compare_exchange_strong(was, held, std::memory_order_acquire)) lock_held();
  }
  bool try_lock() {
    uint32_t was = free;
    return state_.compare_exchange_strong(was, held, std::memory_order_acquire);
  }
  void unlock() {
    if (state_.exchange(free, std::memory_order_release) == wanted) state_.notify_one();
  }

 private:
  enum : uint32_t { free, held, wanted };
  // Only reads until it is free: an attempt would take the word away from its holder.
  void lock_held() {
    for (int i = 0; i < looks_before_sleep; ++i) {
      if (state_.load(std::memory_order_relaxed) == free && try_lock()) return;
      pause_briefly();
    }
    while (state_.exchange(wanted, std::memory_order_acquire) != free)
      state_.wait(wanted, std::memory_order_relaxed);
  }

  std::atomic<uint32_t> state_ = free;
};

// The same for a mutex that somebody also sleeps under, on a condition.
inline void lock_soon(std::mutex& mutex) {
  for (int i = 0; i < looks_before_sleep; ++i) {
    if (mutex.try_lock()) return;
    pause_briefly();
  }
  mutex.lock();
}

}  // namespace tram::work
