// Put: store a message at the end of a queue, which is made if it is not there.
#pragma once

#include "tram/broker/effect.h"
#include "tram/broker/message.h"

namespace tram::broker {

struct State;

struct Put {
  BytesView queue;
  Content content;

  void texts(auto&& each) { each(queue); }
};

// Replies Stored. If somebody waits for a message of this queue, it is leased to the first of
// them at once.
// Errors: invalid_queue_name; limit_reached, when the broker has as many queues, or stores as
// many bytes, as it may.
void carry_out(State& state, Put& put, Context& context);

}  // namespace tram::broker
