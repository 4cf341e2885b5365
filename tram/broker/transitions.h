// The ways a stored message goes from one state to the next, and the only places where it
// does: each keeps the queue, the leases, and the totals in step.
//
//     store ──► ready ──lease──► leased ──finish──► gone
//                 ▲                │
//                 └──give_back─────┘
#pragma once

#include "tram/broker/state.h"

namespace tram::broker {

// A new message at the end of the queue. Whoever waits is not served yet: see `serve`.
MessageId store(State& state, Queue& queue, Content content, base::Time now);

// Leases the next ready message to a taker, and sends it. Counts down `terms.missing`.
void lease_next(State& state, Queue& queue, TakeTerms& terms, base::Time now, Effects& effects);

// The message is done with: it and its lease are gone.
void finish(State& state, Lease& lease);

// The lease ends and the message returns to its old place. Whoever waits is not served yet.
void give_back(State& state, Lease& lease);

// Leases what is ready to whoever waits, first come, first served.
void serve(State& state, Queue& queue, base::Time now, Effects& effects);

// Takes the taker out of the line and tells it what did not come.
void end_wait(State& state, Taker& taker, bool waited, Effects& effects);

// Deletes the ready messages; returns how many.
uint64_t clear_ready(State& state, Queue& queue);

// The queue of that name, made if it is not there. Nullptr at the limit. Call
// `state.queues.used` when done with it.
Queue* find_or_make_queue(State& state, BytesView name);

}  // namespace tram::broker
