// What the scheduler runs: a node that knows how to run itself. Whoever makes one says how, and
// owns it; the scheduler links it into its queues and never copies, allocates or frees.
#pragma once

#include <cstddef>

namespace tram::work {

struct Task;

struct TaskOps {
  // Called once for each time that the task was scheduled, on the thread that runs it. Does not
  // throw. The task may be gone when it returns.
  void (*run)(Task&);
};

struct Task {
  explicit Task(const TaskOps& how) : ops(&how) {}
  Task* next = nullptr;  // The scheduler's, while the task is scheduled.
  const TaskOps* ops;
};

// A chain of tasks, first in first out: made by one thread and handed over in one piece.
class TaskList {
 public:
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }
  void push_back(Task& task) {
    task.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &task;
    last_ = &task;
    ++size_;
  }
  Task& pop_front() {
    Task& task = *first_;
    first_ = task.next;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return task;
  }
  void append(TaskList&& other) {
    if (other.empty()) return;
    (last_ == nullptr ? first_ : last_->next) = other.first_;
    last_ = other.last_;
    size_ += other.size_;
    other.first_ = other.last_ = nullptr;
    other.size_ = 0;
  }

 private:
  Task* first_ = nullptr;
  Task* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tram::work
