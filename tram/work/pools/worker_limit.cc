#include "tram/work/pools/worker_limit.h"

#include "tram/base/assert.h"

namespace tram::work {

namespace {

constexpr unsigned workers_max = 1'000'000;

Result<LimitController> controller_for(const Workers& workers) {
  return LimitController::make({.algorithm = workers.algorithm,
                                .min = workers.min,
                                .max = workers.max,
                                .initial = workers.min});
}

}  // namespace

std::optional<std::string> WorkerLimit::wrong_with(const Workers& workers) {
  if (workers.min > workers_max || workers.max > workers_max)
    return "workers: from 1 to " + std::to_string(workers_max) + ", or 0 for all of the runtime's";
  if (!workers.adaptive()) return std::nullopt;
  if (workers.min == 0 || workers.min > workers.max)
    return "workers: of Adaptive, min is at least 1 and at most max";
  if (Result<LimitController> made = controller_for(workers); !made)
    return "workers: " + std::string(made.error().detail());
  return std::nullopt;
}

WorkerLimit::WorkerLimit(const Workers& workers, unsigned workers_of_runtime)
    : fixed_(workers.max > 0 ? workers.max : workers_of_runtime), max_(fixed_) {
  if (!workers.adaptive()) return;
  Result<LimitController> controller = controller_for(workers);
  TRAM_ASSERT(controller.has_value(), controller.error().detail());
  controller_ = std::make_unique<LimitController>(std::move(*controller));
}

}  // namespace tram::work
