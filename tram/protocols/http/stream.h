// What a connection becomes when its last answer has no end: an event stream, or a WebSocket.
#pragma once

#include "tram/broker/reply.h"
#include "tram/net/session.h"

namespace tram::protocols::http {

class Stream {
 public:
  virtual ~Stream() = default;
  virtual net::Session::Progress on_bytes(base::BytesView bytes) = 0;
  // A reply to a command that was submitted with `ticket`.
  virtual void on_reply(broker::Ticket ticket, broker::Reply& reply) = 0;
  // The program is about to stop: say goodbye and close.
  virtual void on_stop() = 0;
};

}  // namespace tram::protocols::http
