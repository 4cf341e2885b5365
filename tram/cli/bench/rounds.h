// One round of each kind of bench. All are single-threaded and end when everything has come
// back, or when nothing has for `stall_max`.
#pragma once

#include <functional>

#include "tram/base/clock.h"
#include "tram/base/result.h"
#include "tram/cli/bench/plan.h"

namespace tram::cli::bench {

// Called now and then with how much of the round is done, of how much.
using Progress = std::function<void(uint64_t done, uint64_t all)>;

// pub, pubsub, fanout.
base::Result<Outcome> run_live(const Plan& plan, uint32_t round, const base::Clock& clock,
                               const Progress& progress);
// request, put.
base::Result<Outcome> run_asking(const Plan& plan, uint32_t round, const base::Clock& clock,
                                 const Progress& progress);
// queue: put, take, acknowledge.
base::Result<Outcome> run_queueing(const Plan& plan, uint32_t round, const base::Clock& clock,
                                   const Progress& progress);

}  // namespace tram::cli::bench
