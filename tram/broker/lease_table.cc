#include "tram/broker/lease_table.h"

#include "tram/broker/queue.h"

namespace tram::broker {

LeaseTable::~LeaseTable() {
  while (!by_deadline_.empty()) delete &end(by_deadline_.top());
}

Lease& LeaseTable::grant(StoredMessage& message, Queue& queue, base::Duration length,
                         CallerId bound_to, base::Time now) {
  auto* lease = new Lease;
  lease->message = &message;
  lease->queue = &queue;
  lease->token = {++last_token_};
  lease->deadline = now + length;
  lease->length = length;
  lease->bound_to = bound_to;
  bool added = by_message_.emplace(message.id, lease).second;
  TRAM_ASSERT(added, message.id.value);
  by_deadline_.push(*lease);
  queue.leases.push_back(*lease);
  if (bound_to) by_caller_.add(bound_to, *lease);
  return *lease;
}

StoredMessage& LeaseTable::end(Lease& lease) {
  StoredMessage& message = *lease.message;
  by_message_.erase(message.id);
  by_deadline_.erase(lease);
  lease.queue->leases.erase(lease);
  if (lease.bound_to) by_caller_.remove(lease.bound_to, lease);
  delete &lease;
  // After a burst of leases the table's room is given back.
  if (by_message_.bucket_count() > 1024 && by_message_.size() < by_message_.bucket_count() / 8)
    by_message_.rehash(0);
  return message;
}

void LeaseTable::extend(Lease& lease, base::Time deadline) {
  lease.deadline = deadline;
  by_deadline_.moved(lease);
}

Lease* LeaseTable::find(MessageId id) const {
  auto found = by_message_.find(id);
  return found == by_message_.end() ? nullptr : found->second;
}

void LeaseTable::check(const Lease& lease) const {
  TRAM_ASSERT(find(lease.message->id) == &lease, lease.message->id.value);
  TRAM_ASSERT(lease.in_heap() && !EndsFirst()(lease, next()), lease.message->id.value);
  TRAM_ASSERT(lease.message->leased_before, lease.message->id.value);
  TRAM_ASSERT(lease.token.value <= last_token_, lease.token.value);
  TRAM_ASSERT(static_cast<const base::Link<struct CallerLeases>&>(lease).linked() ==
              static_cast<bool>(lease.bound_to));
  TRAM_ASSERT(by_deadline_.size() == by_message_.size(), by_deadline_.size(), by_message_.size());
}

}  // namespace tram::broker
