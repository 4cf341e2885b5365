#include "tram/work/runtime.h"

#include <algorithm>
#include <thread>

#include "tram/work/scheduler/sim_scheduler.h"
#include "tram/work/scheduler/thread_scheduler.h"
#include "tram/work/sim.h"

namespace tram::work {

Runtime::Runtime(Options options)
    : owned_(std::make_unique<ThreadScheduler>(ThreadScheduler::Options{
          .workers = options.workers > 0 ? options.workers
                                         : std::max(1U, std::thread::hardware_concurrency()),
          .blocking_max = options.blocking_max,
          .spare_idle = options.spare_idle})),
      scheduler_(owned_.get()) {}

Runtime::Runtime(Sim& sim) : scheduler_(&sim.scheduler()) {}
Runtime::~Runtime() = default;

unsigned Runtime::workers() const { return scheduler_->workers(); }

unsigned Runtime::threads() const {
  auto* threads = dynamic_cast<ThreadScheduler*>(scheduler_);
  return threads == nullptr ? 0 : threads->threads();
}

base::Time Runtime::now() const { return scheduler_->now(); }
bool Runtime::idle() const { return scheduler_->idle(); }

}  // namespace tram::work
