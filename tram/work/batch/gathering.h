// Batches that have yet to go, one for each partition that has any, and whose turn it is.
//
// Nobody starves: among those that can go, the one goes first that could the longest, and one that
// leaves something behind goes to the end of the line. Finding it costs O(log) of how many wait.
//
// Threads: none; guarded by the batcher's lock.
#pragma once

#include "tram/base/heap.h"
#include "tram/work/batch/batch_call.h"
#include "tram/work/batch/flush_rule.h"

namespace tram::work {

struct Gathering : base::Link<Gathering>, base::HeapPlace<Gathering> {
  // Calls to be, in the order in which they go; none is empty. All but the last are full, unless
  // callers have left or a call may have more by now: see BatchCore::fit().
  base::IntrusiveList<BatchCall, BatchCall> calls;
  uint64_t count = 0;  // Of items in all of them, without sharers.
  uint64_t weight = 0;
  uint64_t asked = 0;                          // Of them, those that are to go in any case,
  FlushReason asked_why = FlushReason::asked;  // and why.
  base::Time first = base::Time::never();      // No item came earlier.
  // Of one that can go whatever the time: since when.
  base::Time due_since = base::Time::never();

 protected:
  ~Gathering() = default;
};

class GatheringQueue {
 public:
  // After anything about it has changed. `due`: it can go whatever the time. `served`: something of
  // it has just gone, and it is to wait for its next turn.
  void place(Gathering& gathering, bool due, bool served, base::Time now) {
    bool was_due = gathering.linked();
    if (was_due && (!due || served)) {
      due_.erase(gathering);
      was_due = false;
    }
    if (due) {
      if (gathering.in_heap()) young_.erase(gathering);
      if (was_due) return;
      gathering.due_since = now;
      due_.push_back(gathering);
    } else if (gathering.in_heap()) {
      young_.moved(gathering);
    } else {
      young_.push(gathering);
    }
  }
  void remove(Gathering& gathering) {
    if (gathering.in_heap()) young_.erase(gathering);
    if (gathering.linked()) due_.erase(gathering);
  }

  // Whose turn it is: of those that are due, and those whose first item has waited for `patience`;
  // of all, if that does not matter. nullptr if it is nobody's.
  Gathering* next(bool all, base::Duration patience, base::Time now) {
    Gathering* young = young_.empty() ? nullptr : &young_.top();
    if (young != nullptr && !all && now < young->first + patience) young = nullptr;
    Gathering* due = due_.first();
    if (young == nullptr || due == nullptr) return young == nullptr ? due : young;
    return young->first <= due->due_since ? young : due;
  }
  // Of those that are not due; never if there is none.
  base::Time first_young() const {
    return young_.empty() ? base::Time::never() : young_.top().first;
  }
  // All are due from now on.
  void all_due(base::Time now) {
    while (!young_.empty()) place(young_.top(), true, false, now);
  }
  template <class F>
  void for_each_due(F&& each) {
    for (Gathering* it = due_.first(); it != nullptr; it = due_.next(*it)) each(*it);
  }

 private:
  struct Earlier {
    bool operator()(const Gathering& a, const Gathering& b) const { return a.first < b.first; }
  };
  base::IntrusiveList<Gathering, Gathering> due_;
  base::Heap<Gathering, Earlier, Gathering> young_;
};

}  // namespace tram::work
