// One beuss connection: gathers messages, carries them out one after the other, answers.
//
// Where a message ends. The protocol does not say, so: when what has come looks like a whole
// message (request.h) and the socket is drained, at the end of the loop's turn; otherwise once
// nothing has come for `pause`. While an answer is outstanding nothing is read, so messages are
// carried out in order.
//
// GET takes, and acknowledges once the kernel has every byte of the answer. A connection lost
// before that gives the message back to its queue.
#pragma once

#include <vector>

#include "tram/protocols/beuss/door.h"
#include "tram/protocols/beuss/gatherer.h"
#include "tram/protocols/beuss/request.h"

namespace tram::protocols::beuss {

class BeussSession final : public net::Session, public broker::Caller, public net::TurnEnd {
 public:
  BeussSession(BeussDoor& door, net::Connection& connection);
  ~BeussSession() override;

  Progress on_bytes(BytesView bytes, const net::SharedBytes* owner) override;
  bool on_end() override;
  void on_stop() override;
  void on_closed(net::CloseReason reason) override;

  void on_reply(broker::Ticket ticket, broker::Reply& reply) override;
  void on_turn_end() override;

 private:
  // A message handed to the connection, and not acknowledged yet.
  struct Unsettled {
    std::string queue;
    broker::MessageId id;
    broker::LeaseToken token;
  };

  void on_message();
  void carry_out(const Request& request);
  void submit(broker::Command command);
  void answer(BytesView text);
  void refuse();
  void deliver(broker::Delivery& delivery);
  void settle();
  void finish_if_stopping();

  BeussDoor& door_;
  net::Connection& connection_;
  const broker::CallerId caller_;
  Gatherer gatherer_;
  net::Timer message_end_;
  net::Timer settle_later_;
  std::vector<Unsettled> unsettled_;
  Mode mode_ = Mode::unset;
  bool awaiting_ = false;  // The engine's reply to the present request.
  bool paused_ = false;    // Reading, because of that.
  bool stopping_ = false;  // Closes as soon as nothing is begun.
};

}  // namespace tram::protocols::beuss
