// What one loop sends another: everything of one turn, in one piece.
//
// A parcel is made by one loop, handled by another, and goes back to the first, which uses it
// again: in the steady state nothing is allocated, and the way back tells the sender that it was
// handled. What it holds is handled in the order of the members below: changes of the
// subscription table come first, so that an answer to a message finds the inbox it is meant for.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tram/broker/command.h"
#include "tram/broker/identity.h"
#include "tram/broker/message.h"
#include "tram/broker/reply.h"

namespace tram::engines::embedded {

// One subscription came or went.
struct Change {
  bool added = false;
  broker::SubscriptionId subscription;
  std::string pattern;
  std::string group;
};

// A live message for some subscriptions of the receiving loop. Its bytes lie in the parcel's.
struct LiveRecord {
  size_t begin = 0;  // Where subject, reply, headers and payload start, one behind the other.
  uint32_t subject_size = 0;
  uint32_t reply_size = 0;
  uint32_t headers_size = 0;
  uint32_t payload_size = 0;
  uint32_t first_target = 0;
  uint32_t target_count = 0;
  int32_t shared = -1;  // If not negative: headers and payload lie in `shared[shared]` instead.
};

struct CommandItem {
  broker::CallerId caller;
  broker::Ticket ticket;
  broker::Command command;  // Its texts lie in `texts`.
  std::string texts[2];
};

// A publish that must be checked where the mailboxes are.
struct CheckedPublish {
  broker::CallerId caller;
  broker::Ticket ticket;
  std::string subject, reply_to;
  broker::Content content;
};

struct ReplyItem {
  broker::CallerId caller;
  broker::Ticket ticket;
  broker::Reply reply;
};

struct Parcel {
  uint32_t from = 0;
  uint32_t to = 0;
  bool handled = false;  // On its way back.
  // The sender's count of changes, this parcel's included.
  uint64_t change_count = 0;

  std::vector<Change> changes;
  std::vector<CommandItem> commands;
  std::vector<CheckedPublish> checked;
  std::vector<LiveRecord> live;
  std::vector<broker::SubscriptionId> targets;
  std::vector<broker::SharedBytes> shared;
  std::string bytes;
  size_t shared_size = 0;
  std::vector<ReplyItem> replies;

  bool empty() const {
    return changes.empty() && commands.empty() && checked.empty() && live.empty() &&
           replies.empty();
  }
  size_t live_size() const { return bytes.size() + shared_size; }

  // Starts a record for one more target list; targets are then appended to `targets`.
  LiveRecord& add_live(const broker::Publication& publication);
  // A view of record `record`'s message, valid as long as the parcel is.
  broker::Publication view_of(const LiveRecord& record) const;
  void clear();

  Parcel* next = nullptr;  // In a ParcelQueue.
};

// Many loops push, one takes everything: first in, first out, and linearizable, so that causes
// stay ahead of their effects even when they take different ways. (A Treiber stack, taken whole
// and reversed.)
class ParcelQueue {
 public:
  // Any thread.
  void push(Parcel* parcel) {
    Parcel* head = head_.load(std::memory_order_relaxed);
    do {
      parcel->next = head;
    } while (!head_.compare_exchange_weak(head, parcel, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
  }
  // The owner: everything, oldest first, linked by `next`.
  Parcel* take_all() {
    Parcel* stack = head_.exchange(nullptr, std::memory_order_seq_cst);
    Parcel* oldest = nullptr;
    while (stack != nullptr) {
      Parcel* next = stack->next;
      stack->next = oldest;
      oldest = stack;
      stack = next;
    }
    return oldest;
  }

 private:
  std::atomic<Parcel*> head_ = nullptr;
};

}  // namespace tram::engines::embedded
