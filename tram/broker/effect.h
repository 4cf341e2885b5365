// What carrying out a command asks of the outside: replies to send, mailboxes that have gone.
#pragma once

#include <vector>

#include "tram/base/time.h"
#include "tram/broker/identity.h"
#include "tram/broker/mailbox_id.h"
#include "tram/broker/reply.h"

namespace tram::broker {

struct ReplyEffect {
  CallerId caller;
  Ticket ticket;
  Reply reply;
};

// Emptied by whoever acts on it and used again, so that it allocates only while it grows.
struct Effects {
  std::vector<ReplyEffect> replies;
  std::vector<MailboxId> mailboxes_expired;  // Not those that were closed by command.

  bool empty() const { return replies.empty() && mailboxes_expired.empty(); }
  void clear() {
    replies.clear();
    mailboxes_expired.clear();
  }
};

// Who asks, when, and where the effects go: what every command is carried out with.
struct Context {
  CallerId caller;
  Ticket ticket;
  base::Time now;
  Effects& effects;

  void reply(Reply answer) { effects.replies.push_back({caller, ticket, std::move(answer)}); }
  void refuse(base::Errc code, std::string detail = {}) {
    reply(base::Error{code, std::move(detail)});
  }
};

}  // namespace tram::broker
