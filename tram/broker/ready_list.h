// The messages of one queue that may be taken, oldest first.
//
// Two kinds, so that the usual one is quick and small: new messages, which come in the order
// of their ids and are a list through the messages themselves; and messages that were leased
// and came back, which return to their old place and are kept by id. The next in line is the
// smaller of the two fronts.
//
// Owns: its messages. Cost: O(1) for new messages, O(log r) for the r that came back.
#pragma once

#include <cstdint>
#include <map>

#include "tram/broker/stored_message.h"

namespace tram::broker {

class ReadyList {
 public:
  ReadyList() = default;
  ~ReadyList() { clear(); }

  bool empty() const { return size_ == 0; }
  uint64_t size() const { return size_; }
  // The next in line. The list must not be empty.
  StoredMessage& front();

  // `message` must be younger than all that ever were here.
  void push_new(StoredMessage& message);
  // For one that was leased before.
  void push_returned(StoredMessage& message);
  // Takes the next in line out; it is now the caller's.
  StoredMessage& pop();

  // Is this a message that was leased before and waits again?
  bool has_returned(MessageId id) const { return returned_.contains(id); }
  // Deletes all messages, and returns how many bytes of content they had.
  uint64_t clear();
  // Asserts that the order and the count are right, and returns the bytes of content.
  uint64_t check();

 private:
  bool returned_first();

  base::IntrusiveList<StoredMessage> new_;
  std::map<MessageId, StoredMessage*> returned_;
  uint64_t size_ = 0;
};

}  // namespace tram::broker
