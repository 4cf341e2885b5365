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

class ShortLock {
 public:
  void lock() {
    for (int looks = 0; looks < looks_max; ++looks) {
      if (mutex_.try_lock()) return;
      pause_for_a_moment();
    }
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

 private:
  static constexpr int looks_max = 50;
  std::mutex mutex_;
};

}  // namespace tram::work
