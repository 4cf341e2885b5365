// Take: lease the next messages of a queue, now or when there are some.
#pragma once

#include "tram/broker/effect.h"
#include "tram/broker/message.h"

namespace tram::broker {

struct State;

struct Take {
  BytesView queue{};
  uint32_t count = 1;                               // At most this many, and at least 1.
  base::Duration wait{};                            // For the first message; zero: answer at once.
  base::Duration linger{};                          // For the rest, once the first is there.
  base::Duration lease = std::chrono::seconds(30);  // Per message, from its delivery.
  // Ends the leases when the caller departs. False for callers whose connection means nothing, as
  // in HTTP: there a lease ends by time alone. The waiting always ends with the caller.
  bool bound_to_caller = true;

  void texts(auto&& each) { each(queue); }
};

// Replies Delivery for each message, with how many may still come; and, if fewer than
// `count` came, TakeEnded. Whoever waits is served first come, first served, and keeps the place
// in line while lingering. A take that waits makes its queue; one that does not, does not.
// Errors: invalid_queue_name; invalid_argument, when a number is beyond limits.h; limit_reached,
// when too many wait already, or there would be too many queues.
void carry_out(State& state, Take& take, Context& context);

// The caller's take under `of_take` waits no longer: nobody listens for the rest. That take gets
// TakeEnded, so that each take has exactly one last reply; nothing happens if it does not wait.
struct StopTaking {
  BytesView queue;
  Ticket of_take;

  void texts(auto&& each) { each(queue); }
};
void carry_out(State& state, StopTaking& stop, Context& context);

}  // namespace tram::broker
