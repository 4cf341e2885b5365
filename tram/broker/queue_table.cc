#include "tram/broker/queue_table.h"

namespace tram::broker {

QueueTable::QueueTable(base::Duration idle_expiry)
    : idle_expiry_(idle_expiry), by_name_(0, Hash{seed_from_address(this)}, Equal{}) {}

QueueTable::~QueueTable() {
  while (!all_.empty()) delete &all_.pop_front();
}

Queue* QueueTable::find(BytesView name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : *found;
}

Queue& QueueTable::make(BytesView name) {
  auto* queue = new Queue;
  queue->name = name;
  bool added = by_name_.insert(queue).second;
  TRAM_ASSERT(added, name);
  all_.push_back(*queue);
  return *queue;
}

void QueueTable::remove(Queue& queue) {
  TRAM_ASSERT(queue.leased == 0 && queue.waiting == 0, queue.name);
  by_name_.erase(&queue);
  all_.erase(queue);
  if (static_cast<base::Link<struct IdleQueues>&>(queue).linked()) idle_.erase(queue);
  delete &queue;
  if (by_name_.bucket_count() > 1024 && by_name_.size() < by_name_.bucket_count() / 8)
    by_name_.rehash(0);
}

void QueueTable::used(Queue& queue, base::Time now) {
  if (static_cast<base::Link<struct IdleQueues>&>(queue).linked()) idle_.erase(queue);
  if (!queue.idle()) return;
  queue.idle_since = now;
  idle_.push_back(queue);
}

base::Time QueueTable::next_deadline() {
  return idle_.empty() ? base::Time::never() : idle_.front().idle_since + idle_expiry_;
}

void QueueTable::check_idle_order() {
  for (auto* queue = idle_.first(); queue; queue = idle_.next(*queue)) {
    auto* next = idle_.next(*queue);
    TRAM_ASSERT(!next || queue->idle_since <= next->idle_since, queue->name);
  }
}

}  // namespace tram::broker
