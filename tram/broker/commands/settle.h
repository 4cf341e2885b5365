// Ack, Release, Extend: what the holder of a lease may say about its message.
//
// All three are refused with lease_ended, and change nothing, when `token` is not that of
// the message's present lease: another's lease is never touched. When the queue holds no such
// message that was ever leased (it was acknowledged, or purged after it came back, or its queue
// was deleted), they are refused with message_not_found.
#pragma once

#include "tram/broker/effect.h"
#include "tram/broker/message.h"

namespace tram::broker {

struct State;

// Done: the message is gone. Replies Done.
struct Ack {
  BytesView queue;
  MessageId id;
  LeaseToken token;
  void texts(auto&& each) { each(queue); }
};
void carry_out(State& state, Ack& ack, Context& context);

// Not done: the message returns to its old place in line. Replies Done.
struct Release {
  BytesView queue;
  MessageId id;
  LeaseToken token;
  bool attempted = true;  // False: it was never tried, so this attempt does not count.
  void texts(auto&& each) { each(queue); }
};
void carry_out(State& state, Release& release, Context& context);

// More time: the lease ends `lease` from now, which is also how to end it sooner. Zero: as long as
// it was granted for. Replies Done. Errors: invalid_argument, when `lease` is beyond limits.h.
struct Extend {
  BytesView queue;
  MessageId id;
  LeaseToken token;
  base::Duration lease;
  void texts(auto&& each) { each(queue); }
};
void carry_out(State& state, Extend& extend, Context& context);

}  // namespace tram::broker
