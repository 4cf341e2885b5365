#include "tram/work/sim.h"

#include "tram/work/scheduler/sim_scheduler.h"

namespace tram::work {

Sim::Sim(uint64_t seed, unsigned workers)
    : seed_(seed), scheduler_(std::make_unique<SimScheduler>(seed, workers)) {}
Sim::~Sim() = default;

base::Time Sim::now() const { return scheduler_->now(); }

void Sim::run_until_idle() {
  while (scheduler_->step(base::Time::never())) {
  }
}

void Sim::run_for(base::Duration duration) {
  base::Time end = now() + duration;
  while (scheduler_->step(end)) {
  }
  scheduler_->set_now(end);
}

bool Sim::step() { return scheduler_->step(base::Time::never()); }
uint64_t Sim::steps() const { return scheduler_->steps(); }

}  // namespace tram::work
