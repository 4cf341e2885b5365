#include "tram/broker/ready_list.h"

namespace tram::broker {

bool ReadyList::returned_first() {
  if (returned_.empty()) return false;
  return new_.empty() || returned_.begin()->first < new_.front().id;
}

StoredMessage& ReadyList::front() {
  return returned_first() ? *returned_.begin()->second : new_.front();
}

void ReadyList::push_new(StoredMessage& message) {
  new_.push_back(message);
  ++size_;
}

void ReadyList::push_returned(StoredMessage& message) {
  bool added = returned_.emplace(message.id, &message).second;
  TRAM_ASSERT(added, message.id.value);
  ++size_;
}

StoredMessage& ReadyList::pop() {
  TRAM_ASSERT(size_ > 0);
  --size_;
  if (!returned_first()) return new_.pop_front();
  StoredMessage& message = *returned_.begin()->second;
  returned_.erase(returned_.begin());
  return message;
}

uint64_t ReadyList::clear() {
  uint64_t bytes = 0;
  while (!empty()) {
    StoredMessage& message = pop();
    bytes += message.content.size();
    delete &message;
  }
  return bytes;
}

uint64_t ReadyList::check() {
  uint64_t count = 0, bytes = 0;
  MessageId last;
  for (auto* message = new_.first(); message; message = new_.next(*message)) {
    TRAM_ASSERT(message->id > last && !message->leased_before, message->id.value);
    last = message->id;
    bytes += message->content.size();
    ++count;
  }
  for (auto& [id, message] : returned_) {
    TRAM_ASSERT(message->id == id && message->leased_before, id.value);
    bytes += message->content.size();
    ++count;
  }
  TRAM_ASSERT(count == size_, count, size_);
  return bytes;
}

}  // namespace tram::broker
