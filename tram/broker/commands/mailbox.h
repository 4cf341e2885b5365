// Mailboxes: private queues fed by a subject pattern, emptied by fetching all that waits.
//
// How much may wait is counted per subject, over all mailboxes: once for each mailbox that a
// message went to. A mailbox that nobody fetched for `mailbox_idle_expiry` is removed.
#pragma once

#include "tram/broker/effect.h"
#include "tram/broker/mailbox_id.h"
#include "tram/broker/message.h"

namespace tram::broker {

struct State;

// Opens a mailbox. Replies Done. Errors: invalid_subject; limit_reached; invalid_argument, when
// that id is open already.
struct OpenMailbox {
  MailboxId mailbox;
  BytesView pattern;
  void texts(auto&& each) { each(pattern); }
};
void carry_out(State& state, OpenMailbox& command, Context& context);

// A message for the mailbox. Never replied to; at the subject's limit it is dropped and counted.
struct Deposit {
  MailboxId mailbox;
  BytesView subject;
  Content content;
  void texts(auto&& each) { each(subject); }
};
void carry_out(State& state, Deposit& command, Context& context);

// Takes all that waits. Replies MailboxContents, perhaps empty.
// Errors: mailbox_not_found, also when `pattern` is not the one that it was opened with.
struct FetchMailbox {
  MailboxId mailbox;
  BytesView pattern;
  void texts(auto&& each) { each(pattern); }
};
void carry_out(State& state, FetchMailbox& command, Context& context);

// Removes the mailbox and what waits in it. Replies Done. Errors: mailbox_not_found.
struct CloseMailbox {
  MailboxId mailbox;
  void texts(auto&&) {}
};
void carry_out(State& state, CloseMailbox& command, Context& context);

// Does the subject have room? Replies Done, or the error overflow.
struct CheckPending {
  BytesView subject;
  void texts(auto&& each) { each(subject); }
};
void carry_out(State& state, CheckPending& command, Context& context);

}  // namespace tram::broker
