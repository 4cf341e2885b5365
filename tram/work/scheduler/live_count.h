// How many pieces of work something still has, counted without a shared write for each.
//
// A worker takes credits from the count in bulk, gives them to what it starts and gets them back
// from what ends, so that most pieces touch only its own thread. The count is never below the
// truth: it reaches zero exactly when the last piece is over and no thread holds credits of it.
#pragma once

#include <atomic>
#include <cstdint>

namespace tram::work {

class LiveCount {
 public:
  LiveCount() = default;
  LiveCount(const LiveCount&) = delete;
  LiveCount& operator=(const LiveCount&) = delete;

  // Any thread that holds a piece itself, or is otherwise sure that the count is not zero.
  void add() {
    if (!purse.allowed) {
      count_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    focus();
    purse.of = this;
    if (purse.credits == 0) {
      count_.fetch_add(credits_taken, std::memory_order_relaxed);
      purse.credits = credits_taken;
    }
    --purse.credits;
  }
  // The same without credits: for whoever may be the last to touch it, and then ends its life.
  void add_alone() { count_.fetch_add(1, std::memory_order_relaxed); }
  // The one that makes it zero calls on_zero(), and nobody touches the count after that.
  void remove() {
    if (!purse.allowed) {
      subtract(1);
      return;
    }
    focus();
    purse.of = this;
    if (++purse.credits < credits_held_max) return;
    purse.credits -= credits_taken;
    subtract(credits_taken);
  }

  // For whoever holds the one that is left, and alone could add more: nobody else has any, nor
  // credits.
  bool only_one_left() const { return count_.load(std::memory_order_acquire) == 1; }

  // Before this thread runs somebody's code: what it holds of any other count is given back.
  void focus() {
    if (purse.of != this && purse.of != nullptr) settle();
  }
  // Before this thread sleeps.
  static void settle();
  // Whether this thread may hold credits: only a worker, which settles before it sleeps.
  static void hold_credits(bool may);

 protected:
  ~LiveCount() = default;

 private:
  static constexpr int64_t credits_taken = 32;
  static constexpr int64_t credits_held_max = 64;
  // What this thread holds, of one count at a time.
  struct Purse {
    LiveCount* of;
    int64_t credits;
    bool allowed;
  };
  static inline thread_local constinit Purse purse{};  // NOLINT: of this thread alone.

  // Called once for each time that the count reaches zero, by the thread that made it so.
  virtual void on_zero() = 0;
  void subtract(int64_t credits) {
    if (count_.fetch_sub(credits, std::memory_order_acq_rel) == credits) on_zero();
  }
  std::atomic<int64_t> count_ = 0;
};

}  // namespace tram::work
