// Which queues there are, by name, and which of them nobody uses.
//
// Owns: the queues. Cost: one look-up to find one; O(1) to note that one was used.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>

#include "tram/broker/queue.h"
#include "tram/broker/text_hash.h"

namespace tram::broker {

class QueueTable {
 public:
  explicit QueueTable(base::Duration idle_expiry);
  ~QueueTable();
  QueueTable(const QueueTable&) = delete;
  QueueTable& operator=(const QueueTable&) = delete;

  // nullptr if there is none.
  Queue* find(BytesView name) const;
  // There must be none of that name. Call `used` when done with it.
  Queue& make(BytesView name);
  // Deletes the queue and its ready messages. Nothing of it may be leased, nobody may wait.
  void remove(Queue& queue);

  // Call after each use of the queue: if it is idle now, its time begins again.
  void used(Queue& queue, base::Time now);
  // The one idle for longest. There must be one.
  Queue& next_idle() { return idle_.front(); }
  // When that one's time is over.
  base::Time next_deadline();

  // To walk all of them, in the order in which they were made.
  base::IntrusiveList<Queue, struct AllQueues>& all() { return all_; }
  size_t size() const { return by_name_.size(); }
  // Asserts that idle queues are in the order in which they fell idle.
  void check_idle_order();

 private:
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    uint64_t seed;
    size_t operator()(BytesView name) const { return hash_text(name, seed); }
    size_t operator()(const Queue* queue) const { return hash_text(queue->name, seed); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Queue* a, const Queue* b) const { return a == b; }
    bool operator()(BytesView a, const Queue* b) const { return a == b->name; }
    bool operator()(const Queue* a, BytesView b) const { return a->name == b; }
  };

  base::Duration idle_expiry_;
  boost::unordered_flat_set<Queue*, Hash, Equal> by_name_;
  base::IntrusiveList<Queue, struct AllQueues> all_;
  base::IntrusiveList<Queue, struct IdleQueues> idle_;  // By `idle_since`.
};

}  // namespace tram::broker
