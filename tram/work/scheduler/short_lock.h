// A mutex for a few instructions at a time: who finds it taken looks again for about a microsecond
// before it sleeps, since waking a thread takes twenty.
#pragma once

#include <mutex>

namespace tram::work {

inline void pause_for_a_moment() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

inline void lock_soon(std::mutex& mutex) {
  constexpr int looks_max = 50;
  for (int looks = 0; looks < looks_max; ++looks) {
    if (mutex.try_lock()) return;
    pause_for_a_moment();
  }
  mutex.lock();
}

class ShortLock {
 public:
  void lock() { lock_soon(mutex_); }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

}  // namespace tram::work
