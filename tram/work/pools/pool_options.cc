#include "tram/work/pools/pool_options.h"

namespace tram::work {
namespace {

constexpr unsigned workers_max = 1'000'000;

std::optional<std::string> wrong_with(const PoolOptions& options) {
  const Workers& workers = options.workers;
  if (workers.min > workers_max || workers.max > workers_max)
    return "workers: from 1 to " + std::to_string(workers_max) + ", or 0 for all of the runtime's";
  if (workers.adaptive()) {
    if (workers.min == 0 || workers.min > workers.max)
      return "workers: of Adaptive, min is at least 1 and at most max";
    Result<LimitController> made = WorkerLimit::controller_for(workers);
    if (!made) return "workers: " + std::string(made.error().detail());
  }
  if (options.job_timeout <= base::Duration()) return "job_timeout: above 0";
  if (options.queue_timeout <= base::Duration()) return "queue_timeout: above 0";
  if (options.timeout <= base::Duration()) return "timeout: above 0";
  if (options.grace < base::Duration()) return "grace: not below 0";
  return std::nullopt;
}

}  // namespace

Result<void> check(const PoolOptions& options) {
  std::optional<std::string> wrong = wrong_with(options);
  if (wrong) return failure(Errc::invalid_argument, "pool '" + options.name + "': " + *wrong);
  return {};
}

}  // namespace tram::work
