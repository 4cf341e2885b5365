#include "tram/work/pools/worker_limit.h"

#include "tram/base/assert.h"

namespace tram::work {

Result<LimitController> WorkerLimit::controller_for(const Workers& workers) {
  return LimitController::make({.algorithm = workers.algorithm,
                                .min = workers.min,
                                .max = workers.max,
                                .initial = workers.min});
}

WorkerLimit::WorkerLimit(const Workers& workers, unsigned workers_of_runtime)
    : fixed_(workers.max > 0 ? workers.max : workers_of_runtime), max_(fixed_) {
  if (!workers.adaptive()) return;
  Result<LimitController> controller = controller_for(workers);
  TRAM_ASSERT(controller.has_value(), controller.error().detail());
  controller_ = std::make_unique<LimitController>(std::move(*controller));
}

}  // namespace tram::work
