// A fixed set of threads that run jobs in the order of their submission, with a limit on how
// many may wait.
//
// Threads: every method may be called from any thread, but not from a job of the same pool where
// noted. Owns: its threads; the destructor stops.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tram::work {

class Pool {
 public:
  using Job = std::move_only_function<void()>;
  struct Options {
    unsigned workers = 1;    // At least 1.
    size_t queue_max = 256;  // Jobs waiting, besides those that run.
  };

  // Starts its threads with the first job, so a pool that is never used costs nothing.
  explicit Pool(Options options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False, with `job` not run and not kept, when `queue_max` jobs wait already or the pool has
  // stopped. Never waits. A job must not throw: that is our own mistake and stops the program.
  bool try_dispatch(Job job);

  // Takes no more jobs, runs those that wait, and returns when all are done. Not from a job.
  void stop();

  size_t waiting() const;

 private:
  void work();

  const Options options_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::condition_variable something_to_do_;
  std::deque<Job> jobs_;
  std::vector<std::jthread> threads_;
  bool stopped_ = false;
};

}  // namespace tram::work
