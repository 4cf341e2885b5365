// Who holds which message, and until when: one fact, seen by message, by deadline, by queue
// and by caller. All views change together.
//
// Owns: the leases, and each leased message through its lease.
// Cost: O(log n) to grant, end or extend a lease; O(1) to find one.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include "tram/base/heap.h"
#include "tram/broker/by_caller.h"
#include "tram/broker/stored_message.h"

namespace tram::broker {

struct Queue;

struct Lease : base::HeapPlace<>, base::Link<struct QueueLeases>, base::Link<struct CallerLeases> {
  StoredMessage* message = nullptr;
  Queue* queue = nullptr;
  LeaseToken token;
  base::Time deadline;
  base::Duration length;  // What it was granted for.
  CallerId bound_to;      // None: it ends by time alone.
};

class LeaseTable {
 public:
  LeaseTable() = default;
  ~LeaseTable();
  LeaseTable(const LeaseTable&) = delete;
  LeaseTable& operator=(const LeaseTable&) = delete;

  // Leases `message`, which it owns from now on, with a new token.
  Lease& grant(StoredMessage& message, Queue& queue, base::Duration length, CallerId bound_to,
               base::Time now);
  // Ends the lease, which is deleted. Its message is the caller's again.
  StoredMessage& end(Lease& lease);
  void extend(Lease& lease, base::Time deadline);

  // nullptr if the message is not leased.
  Lease* find(MessageId id) const;
  // Of those bound to `caller`, the one granted first; nullptr if there is none.
  Lease* first_of(CallerId caller) const { return by_caller_.first(caller); }
  // The one that ends first; of several, the one granted first. There must be one.
  Lease& next() const { return by_deadline_.top(); }
  base::Time next_deadline() const {
    return by_deadline_.empty() ? base::Time::never() : by_deadline_.top().deadline;
  }
  size_t size() const { return by_message_.size(); }
  // Asserts that `lease` is where it should be.
  void check(const Lease& lease) const;

 private:
  struct EndsFirst {
    bool operator()(const Lease& a, const Lease& b) const {
      return a.deadline != b.deadline ? a.deadline < b.deadline : a.token < b.token;
    }
  };

  boost::unordered_flat_map<MessageId, Lease*, base::HashId> by_message_;
  base::Heap<Lease, EndsFirst> by_deadline_;
  ByCaller<Lease, struct CallerLeases> by_caller_;
  uint64_t last_token_ = 0;
};

}  // namespace tram::broker
