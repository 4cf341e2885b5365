// What the scheduler runs: a node that knows how to run itself. Whoever makes one says how, and
// owns it; the scheduler links it into its queues and never copies, allocates or frees.
#pragma once

#include <cstddef>

namespace tram::work {

struct Runnable;

struct RunnableOps {
  // Called once for each time that the task was scheduled, on the thread that runs it. Does not
  // throw. The task may be gone when it returns.
  void (*run)(Runnable&);
};

struct Runnable {
  explicit Runnable(const RunnableOps& how) : ops(&how) {}
  Runnable* next = nullptr;  // The scheduler's, while the task is scheduled.
  const RunnableOps* ops;
};

// A chain of tasks, first in first out: made by one thread and handed over in one piece.
class RunnableList {
 public:
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }
  void push_back(Runnable& task) {
    task.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &task;
    last_ = &task;
    ++size_;
  }
  Runnable& pop_front() {
    Runnable& task = *first_;
    first_ = task.next;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return task;
  }
  void append(RunnableList&& other) {
    if (other.empty()) return;
    (last_ == nullptr ? first_ : last_->next) = other.first_;
    last_ = other.last_;
    size_ += other.size_;
    other.first_ = other.last_ = nullptr;
    other.size_ = 0;
  }

 private:
  Runnable* first_ = nullptr;
  Runnable* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tram::work
