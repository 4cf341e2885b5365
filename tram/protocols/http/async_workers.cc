#include "tram/protocols/http/async_workers.h"

#include "tram/base/assert.h"

namespace tram::protocols::http {

struct AsyncWorkers::Made {
  explicit Made(const Options& options)
      : runtime({.workers = options.workers, .blocking_max = 0}),
        pool(runtime,
             {.workers = options.workers, .queue = options.queue_max, .name = "async publish"},
             [](Job job) noexcept { job(); }),
        run(pool.open()) {}
  work::Runtime runtime;
  work::Pool<Job, void> pool;
  work::Pool<Job, void>::Run run;
};

bool AsyncWorkers::try_dispatch(Job job) {
  std::shared_ptr<Made> made;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return false;
    if (made_ == nullptr) made_ = std::make_shared<Made>(options_);
    made = made_;
  }
  return made->run.try_dispatch(std::move(job)).has_value();
}

void AsyncWorkers::stop() {
  std::shared_ptr<Made> made;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    made = std::move(made_);
  }
  if (made == nullptr) return;
  work::Result<void> end = made->run.finish();
  TRAM_ASSERT(end.has_value(), end.error().text());
}

unsigned AsyncWorkers::threads() const {
  std::lock_guard lock(mutex_);
  return made_ == nullptr ? 0 : made_->runtime.threads();
}

}  // namespace tram::protocols::http
