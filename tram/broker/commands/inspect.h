// Queues as an operator sees and tends them: list, show, purge, delete.
#pragma once

#include "tram/broker/effect.h"
#include "tram/broker/message.h"

namespace tram::broker {

struct State;

// Replies QueueList, by name. Of one shard: the engine joins the shards' answers.
struct ListQueues {
  void texts(auto&&) {}
};
void carry_out(State& state, ListQueues& command, Context& context);

// Replies QueueList with one entry. Errors: queue_not_found.
struct ShowQueue {
  BytesView queue;
  void texts(auto&& each) { each(queue); }
};
void carry_out(State& state, ShowQueue& command, Context& context);

// Removes every ready message; leased ones stay with their holders. Replies Done with how
// many went. Errors: queue_not_found.
struct PurgeQueue {
  BytesView queue;
  void texts(auto&& each) { each(queue); }
};
void carry_out(State& state, PurgeQueue& command, Context& context);

// Removes the queue and everything in it, leased messages too: their holders' answers will be
// refused with message_not_found. Whoever waits goes on waiting, on a queue of that name made
// anew. Replies Done with how many messages went. Errors: queue_not_found.
struct DeleteQueue {
  BytesView queue;
  void texts(auto&& each) { each(queue); }
};
void carry_out(State& state, DeleteQueue& command, Context& context);

}  // namespace tram::broker
