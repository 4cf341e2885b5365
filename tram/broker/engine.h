// What any back end offers a door: the broker, as seen from one event loop.
//
// Doors know this and nothing of what is behind it. Every method is called on the loop that
// the engine belongs to, and every call back comes on that loop, never from inside the call
// that caused it unless its comment says so.
#pragma once

#include <cstdint>

#include "tram/base/time.h"
#include "tram/broker/command.h"
#include "tram/broker/identity.h"
#include "tram/broker/message.h"
#include "tram/broker/reply.h"

namespace tram::broker {

// What a subscriber says to a message.
enum class Receipt {
  taken,
  behind,  // So much waits already that publishers should wait a little. Or it was dropped, as
           // there was no room, or the subscriber is about to go: that is no reason to go on.
  spent,   // Taken, and it was the last: the subscription ends now, before the next message.
};

// Receives live messages.
class Subscriber {
 public:
  // `cookie` is what the subscription was made with. May come from inside `publish`, also from
  // inside the subscriber's own. Must not call the engine, nor destroy a subscriber.
  virtual Receipt on_message(uint64_t cookie, const Publication& publication) = 0;

 protected:
  ~Subscriber() = default;
};

// Receives replies to commands.
class Caller {
 public:
  // One call per reply; a Take can have several. May come from inside `submit`.
  virtual void on_reply(Ticket ticket, Reply& reply) = 0;

 protected:
  ~Caller() = default;
};

class Engine {
 public:
  virtual ~Engine() = default;

  // The time of this turn of the loop.
  virtual base::Time now() const = 0;

  // --- Live messages: at most once, in order per publisher and subject.

  struct Reach {
    uint32_t receivers = 0;  // Plain subscriptions, plus one for each group.
    // Every receiver is far behind: the publisher's reading should pause for a moment
    // (net::Connection::hold_back).
    bool hold_back = false;
  };
  // Hands the message to everyone who listens, on every loop, except to `except` (nullptr: to
  // all): a group of which it is a member serves another one. The subject must be valid
  // (broker/subject.h); this is not checked again.
  virtual Reach publish(const Publication& publication, const Subscriber* except = nullptr) = 0;
  // Hands it to `only`'s own subscriptions, as if nobody else listened. False if it has none
  // for that subject.
  virtual bool publish_to(const Subscriber& only, const Publication& publication) = 0;

  // `pattern` and `group` (empty: none) must be valid. This loop's publishers reach the
  // subscription at once, other loops' a moment later: see `known_everywhere`.
  virtual SubscriptionId subscribe(Subscriber& subscriber, uint64_t cookie, BytesView pattern,
                                   BytesView group) = 0;
  // Messages that other loops had already sent here are still delivered until the change is
  // known everywhere; nothing comes for it after that. The subscriber must live until then, or
  // `drop` what it has left.
  virtual void unsubscribe(SubscriptionId subscription) = 0;
  // The subscriber is about to die: nothing comes for this subscription any more, from now on.
  // Also for one that was unsubscribed and is not yet known to be gone everywhere.
  virtual void drop(SubscriptionId subscription) = 0;

  // True if all loops know of every subscribe and unsubscribe made here so far. Otherwise
  // false, and `caller` gets Done for `ticket` as soon as they do.
  virtual bool known_everywhere(CallerId caller, Ticket ticket) = 0;

  // --- Stored messages.

  // A caller enrols before it submits, and departs before it dies: its waiting takes are
  // forgotten, its leases (where bound to it) end at once, its replies are dropped.
  virtual CallerId enrol(Caller& caller) = 0;
  virtual void depart(CallerId caller) = 0;

  // Carries out `command`; the replies come to the caller with `ticket`. With no caller (id 0)
  // nobody is told.
  virtual void submit(CallerId caller, Ticket ticket, Command command) = 0;

  // Publish as the HTTP publisher wants it: refused with overflow when too much waits in the
  // subject's mailboxes, with no_responders when nobody listens, otherwise Done with how many
  // receivers it reached.
  virtual void publish_checked(CallerId caller, Ticket ticket, const Publication& publication) = 0;
};

}  // namespace tram::broker
