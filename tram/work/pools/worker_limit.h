// How many bodies may run at once: a number, or one that finds its own height.
#pragma once

#include <memory>
#include <variant>

#include "tram/work/limit_controller.h"

namespace tram::work {

// `.workers = Adaptive{.min = 2, .max = 64}`. By default by how full the queue is: more while it is
// fuller than 80 %, fewer while emptier than 20 %. Gradient{.shrink_unused = true} goes by how long
// jobs take, for bodies that call something that slows down when it has too much to do.
struct Adaptive {
  unsigned min = 1;
  unsigned max = 64;
  std::variant<Gradient, Fixed, ByQueueFill> algorithm = ByQueueFill{};
};

struct Workers {
  Workers(unsigned count) : min(count), max(count) {}  // NOLINT: implicit, for `.workers = 10`
  Workers(int count) : Workers(static_cast<unsigned>(count)) {}  // NOLINT: implicit
  Workers(Adaptive how) : min(how.min), max(how.max), algorithm(how.algorithm) {}  // NOLINT
  bool adaptive() const { return !std::holds_alternative<Fixed>(algorithm); }

  unsigned min;
  unsigned max;
  std::variant<Gradient, Fixed, ByQueueFill> algorithm = Fixed{};
};

// Threads: one at a time.
class WorkerLimit {
 public:
  // `workers` were checked. A number of 0 stands for `workers_of_runtime`.
  WorkerLimit(const Workers& workers, unsigned workers_of_runtime);
  // What about them cannot be, as the end of a sentence that names whose they are; or nothing.
  static std::optional<std::string> wrong_with(const Workers& workers);

  unsigned now() const { return controller_ == nullptr ? fixed_ : controller_->limit(); }
  unsigned max() const { return max_; }
  bool adaptive() const { return controller_ != nullptr; }
  // Of an adaptive one: how many wait, of how many that may, and how many bodies run.
  void observe_queue(uint64_t waiting, uint64_t capacity, uint32_t busy, base::Time now) {
    controller_->observe_queue(waiting, capacity, busy, now);
  }
  // Of an adaptive one: a body has ended.
  void add(const LimitController::Sample& sample, base::Time now) { controller_->add(sample, now); }

 private:
  unsigned fixed_;
  unsigned max_;
  std::unique_ptr<LimitController> controller_;
};

}  // namespace tram::work
