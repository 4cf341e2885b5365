// Mailboxes and what waits in them: private queues fed by a subject pattern.
//
// How much waits on a subject is counted over all mailboxes, once for each mailbox that holds
// the message; a subject with nothing waiting, and no mailbox of its own, costs nothing.
//
// Owns: the mailboxes and their messages. Cost: O(1) to deposit and to find one.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <vector>

#include "tram/base/intrusive_list.h"
#include "tram/broker/broker.h"
#include "tram/broker/mailbox_id.h"
#include "tram/broker/message.h"
#include "tram/broker/text_hash.h"

namespace tram::broker {

class Mailboxes {
 public:
  Mailboxes(const Limits& limits, Totals& totals);
  ~Mailboxes();
  Mailboxes(const Mailboxes&) = delete;
  Mailboxes& operator=(const Mailboxes&) = delete;

  bool contains(MailboxId id) const { return by_id_.contains(id); }
  size_t size() const { return by_id_.size(); }
  // `id` must not be open yet.
  void open(MailboxId id, BytesView pattern, base::Time now);
  // All that waits. False if there is no such mailbox with that pattern.
  bool fetch(MailboxId id, BytesView pattern, base::Time now, std::vector<Content>& messages);
  // Removes the mailbox and what waits in it; false if there is none.
  bool close(MailboxId id);
  // Keeps the message, or drops and counts it at a limit. Nothing happens
  // without the mailbox, or when its pattern does not match the subject.
  void deposit(MailboxId id, BytesView subject, Content content);
  // May one more message be published to the subject?
  bool has_room(BytesView subject) const;

  base::Time next_deadline();
  // Removes the mailbox that was not fetched for longest. There must be one.
  MailboxId expire_next();

  // Walks everything and asserts that it is in order.
  void check();

 private:
  // What is known of one subject.
  struct Subject {
    Bytes name;
    uint64_t pending = 0;    // Messages that wait, over all mailboxes.
    uint64_t mailboxes = 0;  // Opened with this subject as their pattern.
  };
  struct Held {
    Content content;
    Subject* subject;
  };
  struct Mailbox : base::Link<> {
    MailboxId id;
    Bytes pattern;
    Subject* own_subject = nullptr;  // If the pattern has no wildcard.
    std::vector<Held> held;
    base::Time fetched;
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    uint64_t seed;
    size_t operator()(BytesView name) const { return hash_text(name, seed); }
    size_t operator()(const Subject* subject) const { return hash_text(subject->name, seed); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Subject* a, const Subject* b) const { return a == b; }
    bool operator()(BytesView a, const Subject* b) const { return a == b->name; }
    bool operator()(const Subject* a, BytesView b) const { return a->name == b; }
  };

  Mailbox* find(MailboxId id) const;
  Subject& subject_made(BytesView name);
  void drop_if_unused(Subject& subject);
  void empty_out(Mailbox& mailbox);
  void remove(Mailbox& mailbox);

  const Limits& limits_;
  Totals& totals_;
  boost::unordered_flat_map<MailboxId, Mailbox*, HashMailboxId> by_id_;
  base::IntrusiveList<Mailbox> by_fetch_;  // The one not fetched for longest in front.
  boost::unordered_flat_set<Subject*, Hash, Equal> subjects_;
  uint64_t wildcard_mailboxes_ = 0;
  uint64_t bytes_ = 0;  // With mailbox_message_overhead for each message.
};

}  // namespace tram::broker
