// The answers of the state machine to its callers.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "tram/base/error.h"
#include "tram/base/time.h"
#include "tram/broker/identity.h"
#include "tram/broker/message.h"

namespace tram::broker {

// It was done. `count`: how many messages it touched, where that has a meaning.
struct Done {
  uint64_t count = 0;
};

// The message is stored, and how safely.
struct Stored {
  MessageId id;
  Durability reached = Durability::memory;
  bool duplicate = false;
};

// A message leased to the caller.
struct Delivery {
  MessageId id;
  LeaseToken token;
  uint32_t attempt = 1;    // How often it was leased, this time included.
  uint32_t remaining = 0;  // How many the same take may still bring; 0: this was the last.
  base::Duration age;      // Since it was put.
  std::string queue;
  Content content;
};

// A take ended before it had all it asked for.
struct TakeEnded {
  bool waited = false;   // True: its time passed. False: it would not wait.
  uint32_t missing = 0;  // How many did not come.
};

struct QueueInfo {
  std::string name;
  uint64_t ready = 0;
  uint64_t leased = 0;
  uint64_t bytes = 0;  // Of content, ready and leased.
  uint64_t waiting_takers = 0;
  uint64_t puts = 0;
  uint64_t deliveries = 0;
  uint64_t redeliveries = 0;  // Deliveries after the first of a message.
  uint64_t acks = 0;
  base::Duration oldest_ready_age;  // Zero when nothing is ready.
};

struct QueueList {
  std::vector<QueueInfo> queues;
};

struct MailboxContents {
  std::vector<Content> messages;  // In the order of their arrival.
};

using Reply =
    std::variant<base::Error, Done, Stored, Delivery, TakeEnded, QueueList, MailboxContents>;

}  // namespace tram::broker
