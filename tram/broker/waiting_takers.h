// Takes that wait for messages: seen by queue (in line, first come first served), by the
// time at which they give up, and by caller.
//
// Owns: the takers. Cost: O(log n) to begin and to end waiting.
#pragma once

#include "tram/base/heap.h"
#include "tram/base/time.h"
#include "tram/broker/by_caller.h"

namespace tram::broker {

struct Queue;

// What a take asked for, and how much of it is still missing.
struct TakeTerms {
  CallerId caller;
  Ticket ticket;
  uint32_t missing = 0;
  base::Duration linger;
  base::Duration lease;
  bool bound_to_caller = true;
};

struct Taker : base::HeapPlace<>, base::Link<struct QueueLine>, base::Link<struct CallerTakers> {
  TakeTerms terms;
  uint64_t sequence = 0;  // Growing: who came first.
  Queue* queue = nullptr;
  base::Time deadline;   // When it gives up.
  bool lingers = false;  // It has had its first message while in line, or before it joined.
};

class WaitingTakers {
 public:
  WaitingTakers() = default;
  ~WaitingTakers();
  WaitingTakers(const WaitingTakers&) = delete;
  WaitingTakers& operator=(const WaitingTakers&) = delete;

  // Puts a new taker at the end of the queue's line.
  Taker& add(const TakeTerms& terms, Queue& queue, base::Time deadline);
  // The taker is deleted.
  void remove(Taker& taker);
  void change_deadline(Taker& taker, base::Time deadline);

  // Of the caller's, the one that came first; nullptr if there is none.
  Taker* first_of(CallerId caller) const { return by_caller_.first(caller); }
  // The caller's take under `ticket`; nullptr if it does not wait. Cost: O(its waiting takes).
  Taker* find(CallerId caller, Ticket ticket) const;
  // The one that gives up first; of several, the one that came first. There must be one.
  Taker& next() const { return by_deadline_.top(); }
  base::Time next_deadline() const {
    return by_deadline_.empty() ? base::Time::never() : by_deadline_.top().deadline;
  }
  size_t size() const { return by_deadline_.size(); }
  // Asserts that `taker` is where it should be.
  void check(const Taker& taker) const;

 private:
  struct EndsFirst {
    bool operator()(const Taker& a, const Taker& b) const {
      return a.deadline != b.deadline ? a.deadline < b.deadline : a.sequence < b.sequence;
    }
  };

  base::Heap<Taker, EndsFirst> by_deadline_;
  ByCaller<Taker, struct CallerTakers> by_caller_;
  uint64_t last_sequence_ = 0;
};

}  // namespace tram::broker
