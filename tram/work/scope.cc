#include "tram/work/scope.h"

namespace tram::work {

Scope::Scope(Scheduler& scheduler, ScopeCore* outer, const Options& options)
    : Scope(std::make_unique<ScopeCore>(
          scheduler, outer,
          ScopeCore::Options{.name = options.name,
                             .keep_going = options.on_error == OnError::keep_going,
                             .deadline = scheduler.now() + options.deadline,
                             .stop = options.stop})) {}

Scope::Scope(std::unique_ptr<ScopeCore> core)
    : Spawner(*core), owned_(std::move(core)), exceptions_(std::uncaught_exceptions()) {}

Scope::~Scope() {
  if (std::uncaught_exceptions() > exceptions_) cancel();
  if (owned_->wait()) return;
  // What it waits for cannot end by itself: at least what can be stopped is, and then it must end.
  cancel();
  TRAM_ASSERT(owned_->wait(), "a scope ends with units that wait for what can never be");
}

Result<void> Scope::wait() {
  if (!owned_->wait())
    return failure(Errc::deadlock,
                   "nothing is left to run, and units wait for what only the world outside, or a "
                   "thread that the limit does not allow, could end");
  if (std::optional<Error> failures = owned_->take_failures()) return std::unexpected(*failures);
  return {};
}

}  // namespace tram::work
