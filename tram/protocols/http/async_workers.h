// The workers that asynchronous publishes of all loops go through: a bounded pool
// (tram/work/pool.h) with a runtime of its own, both made with the first job, so a broker that
// nobody asks for this has no thread and no memory for it.
//
// Threads: every method from any thread; stop() not from a job.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "tram/work/pool.h"

namespace tram::protocols::http {

class AsyncWorkers {
 public:
  // Must not throw: that is our own mistake and stops the program.
  using Job = std::move_only_function<void()>;
  struct Options {
    unsigned workers = 1;    // At least 1.
    size_t queue_max = 256;  // Jobs waiting, besides those that run.
  };
  explicit AsyncWorkers(Options options) : options_(options) {}
  // Stops.
  ~AsyncWorkers() { stop(); }
  AsyncWorkers(const AsyncWorkers&) = delete;
  AsyncWorkers& operator=(const AsyncWorkers&) = delete;

  // False, with `job` not run and not kept, when `queue_max` jobs wait already, or after stop().
  // Never waits.
  bool try_dispatch(Job job);
  // Takes no more jobs, runs those that wait, and returns when all are done.
  void stop();
  // What it costs now: 0 before the first job and after stop().
  unsigned threads() const;

 private:
  struct Made;

  const Options options_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<Made> made_;
  bool stopped_ = false;
};

}  // namespace tram::protocols::http
