#include "tram/work/pools/pool_options.h"

namespace tram::work {
namespace {

std::optional<std::string> wrong_with(const PoolOptions& options) {
  if (std::optional<std::string> workers = WorkerLimit::wrong_with(options.workers)) return workers;
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
