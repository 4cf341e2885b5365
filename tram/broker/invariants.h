// What is always true of the state between two commands, in one place.
#pragma once

#include "tram/broker/state.h"

namespace tram::broker {

// Walks everything, and asserts:
//
//  1. A message is in one place: in its queue's ready list, or leased, and then found by its id,
//     by its deadline, by its queue, and by its caller if it is bound to one.
//  2. Ready messages are in the order of their ids.
//  3. Nobody waits on a queue in which something is ready.
//  4. A queue's counts and bytes are what is in it, and the totals are the sums over all queues.
//  5. A queue is on the list of idle queues if and only if nothing is in it and nobody waits; the
//     list is in the order in which they fell idle.
//  6. What waits on a subject is what the mailboxes hold of it, and no subject is kept for nothing.
//  7. No limit is exceeded.
//
// Cost: all of the state. Changes nothing (it is not const only because lists are not).
void check_invariants(State& state);

}  // namespace tram::broker
