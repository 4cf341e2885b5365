#include "tram/work/pool.h"

#include "tram/base/assert.h"

namespace tram::work {

Pool::Pool(Options options) : options_(options) { TRAM_ASSERT(options.workers > 0); }

Pool::~Pool() { stop(); }

bool Pool::try_dispatch(Job job) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || jobs_.size() >= options_.queue_max) return false;
    jobs_.push_back(std::move(job));
    while (threads_.size() < options_.workers) threads_.emplace_back([this] { work(); });
  }
  something_to_do_.notify_one();
  return true;
}

void Pool::stop() {
  std::vector<std::jthread> threads;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    threads.swap(threads_);
  }
  something_to_do_.notify_all();
  for (std::jthread& thread : threads) thread.join();
}

size_t Pool::waiting() const {
  std::lock_guard lock(mutex_);
  return jobs_.size();
}

void Pool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    something_to_do_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace tram::work
