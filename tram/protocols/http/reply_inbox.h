// Where answers to POST /v1/request arrive: one subscription for the whole door, and a subject
// of its own below it for each request.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <string>

#include "tram/broker/engine.h"
#include "tram/protocols/http/shared.h"

namespace tram::protocols::http {

class ReplyInbox final : public broker::Subscriber {
 public:
  // Whoever waits for one answer.
  class Waiter {
   public:
    // Once, and nothing after it. Must not call the engine.
    virtual void on_answer(const broker::Publication& answer) = 0;

   protected:
    ~Waiter() = default;
  };

  ReplyInbox(broker::Engine& engine, HttpShared& shared) : engine_(engine), shared_(shared) {}
  ~ReplyInbox();

  // Subscribes, with the first request. As engine.known_everywhere: false if `caller` is told.
  bool open(broker::CallerId caller, broker::Ticket ticket);
  // A subject to answer to. `waiter` must `leave` before it dies, unless it was answered.
  std::string expect(Waiter& waiter, uint64_t& number);
  void leave(uint64_t number) { waiters_.erase(number); }

  broker::Receipt on_message(uint64_t cookie, const broker::Publication& publication) override;

 private:
  broker::Engine& engine_;
  HttpShared& shared_;
  std::string prefix_;  // "_INBOX.http.<128 random bits>."
  broker::SubscriptionId subscription_;
  uint64_t number_ = 0;
  boost::unordered_flat_map<uint64_t, Waiter*> waiters_;
};

}  // namespace tram::protocols::http
