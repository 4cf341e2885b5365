// The requests that wait for replies: each has a number, which is the last word of its
// reply subject, a handler, and a deadline.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "tram/base/result.h"
#include "tram/base/time.h"
#include "tram/client/message.h"

namespace tram::client {

// Called once per reply, and once with an error if it ends early: no_responders, timed_out,
// connection_lost. May be called during any reading call of the client.
using ReplyHandler = std::function<void(const base::Result<Message>&)>;

class Requests {
 public:
  uint64_t add(ReplyHandler handler, uint64_t replies_max, base::Time deadline);
  // Forgets it without a word to its handler.
  void remove(uint64_t number);
  size_t size() const { return waiting_.size(); }

  // Gives a reply to its handler; one for a request that is gone is dropped.
  void deliver(uint64_t number, const Message& message);
  // No deadline is before this.
  base::Time next_deadline() const { return next_deadline_; }
  void expire(base::Time now);
  void fail_all(const base::Error& error);

 private:
  struct Waiting {
    ReplyHandler handler;
    uint64_t replies_left;
    base::Time deadline;
  };

  uint64_t last_number_ = 0;
  base::Time next_deadline_ = base::Time::never();
  std::unordered_map<uint64_t, Waiting> waiting_;
};

}  // namespace tram::client
