// What goes on around a round: the server's usage before and after, progress, and stalls.
#pragma once

#include "tram/cli/bench/rounds.h"
#include "tram/cli/bench/server_usage.h"

namespace tram::cli::bench {

class Watch {
 public:
  Watch(const Plan& plan, const base::Clock& clock, const Progress& progress, uint64_t all)
      : plan_(plan), clock_(clock), progress_(progress), all_(all) {
    if (plan.server_pid != 0) before_ = usage_of(plan.server_pid);
    started_ = moved_at_ = shown_at_ = clock.now();
  }

  // Once per turn. False when nothing has moved for too long.
  bool goes_on(uint64_t done) {
    base::Time now = clock_.now();
    if (done != done_) {
      done_ = done;
      moved_at_ = now;
    }
    constexpr base::Duration show_every = std::chrono::milliseconds(200);
    if (now >= shown_at_ + show_every) {
      shown_at_ = now;
      progress_(done, all_);
    }
    return now < moved_at_ + plan_.stall_max;
  }

  void finish(Outcome& outcome) const {
    outcome.took = clock_.now() - started_;
    if (!before_) return;
    if (auto after = usage_of(plan_.server_pid)) {
      outcome.server_cpu_seconds = after->cpu_seconds - before_->cpu_seconds;
      outcome.server_memory_bytes = after->memory_bytes;
    }
  }

 private:
  const Plan& plan_;
  const base::Clock& clock_;
  const Progress& progress_;
  uint64_t all_;
  uint64_t done_ = 0;
  base::Time started_, moved_at_, shown_at_;
  std::optional<ServerUsage> before_;
};

}  // namespace tram::cli::bench
