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

// A chain of nodes, each with a `next`, first in first out: made by one thread and handed over in
// one piece.
template <class Node>
class Chain {
 public:
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }
  Node& front() { return *first_; }
  void push_front(Node& node) {
    node.next = first_;
    first_ = &node;
    if (last_ == nullptr) last_ = &node;
    ++size_;
  }
  void push_back(Node& node) {
    node.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &node;
    last_ = &node;
    ++size_;
  }
  Node& pop_front() {
    Node& node = *first_;
    first_ = node.next;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return node;
  }
  void append(Chain&& other) {
    if (other.empty()) return;
    (last_ == nullptr ? first_ : last_->next) = other.first_;
    last_ = other.last_;
    size_ += other.size_;
    other.first_ = other.last_ = nullptr;
    other.size_ = 0;
  }

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
  size_t size_ = 0;
};

using RunnableList = Chain<Runnable>;

}  // namespace tram::work
