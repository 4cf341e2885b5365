// Queues over NATS: requests on subjects under $TRAM, answered to their reply subject.
//
//   $TRAM.PUT.<queue>                    payload: the message
//   $TRAM.TAKE.<queue>                   payload: {"n","wait_ms","linger_ms","lease_ms"}
//   $TRAM.GET.<queue>                    payload: {"wait_ms"}: takes and acknowledges
//   $TRAM.ACK.<queue>.<id>.<token>       payload: +ACK, -NAK, +WPI or +TERM
//   $TRAM.API.INFO                       what server this is
//   $TRAM.API.QUEUE.LIST                 every queue
//   $TRAM.API.QUEUE.{INFO,PURGE,DELETE}.<queue>
//
// Answers are published like any message, so whoever listens to the reply subject gets them. A
// message of a queue that nobody listens for goes back to its queue: a caller that gave up does
// not lose it. docs/protocols/nats.md has every request with every answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tram/broker/engine.h"
#include "tram/protocols/nats/parser.h"

namespace tram::protocols::nats {

class NatsSession;

class QueueRequests {
 public:
  explicit QueueRequests(NatsSession& session) : session_(session) {}

  static bool is_one(BytesView subject) { return subject.starts_with("$TRAM."); }
  void take(const broker::Publication& request);
  // A reply to the request numbered `number`.
  void on_reply(uint32_t number, broker::Reply& reply);

 private:
  enum class Kind { put, take, get, settle, list, show, change };
  // A request that is not answered in full.
  struct Pending {
    Kind kind = Kind::put;
    std::string reply_to;
    std::string queue;
    bool abandoned = false;  // Nobody listens any more; its last reply is still to come.
  };

  void put(BytesView queue, const broker::Publication& request);
  void take_messages(Kind kind, BytesView queue, const broker::Publication& request);
  void settle(BytesView rest, const broker::Publication& request);
  void api(BytesView rest, const broker::Publication& request);

  void submit(Kind kind, BytesView queue, BytesView reply_to, broker::Command command);
  void deliver(uint32_t number, broker::Delivery& delivery);
  void finish(uint32_t number);
  // True if anybody was listening.
  bool answer(BytesView reply_to, BytesView headers, BytesView payload,
              BytesView answer_to = BytesView());
  void answer_error(BytesView reply_to, const base::Error& error);

  NatsSession& session_;
  std::vector<Pending> pending_;
  std::vector<uint32_t> free_;
};

}  // namespace tram::protocols::nats
