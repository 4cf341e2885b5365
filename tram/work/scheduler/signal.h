// Something one thread waits for, once. Lives on the waiter's stack.
#pragma once

#include <condition_variable>
#include <mutex>

namespace tram::work {

class Signal {
 public:
  // Any thread, once. The signal may be gone when this returns.
  void raise() {
    std::lock_guard lock(mutex_);
    raised_ = true;
    changed_.notify_all();
  }
  bool raised() const {
    std::lock_guard lock(mutex_);
    return raised_;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return raised_; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

}  // namespace tram::work
