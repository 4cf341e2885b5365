// GET /v1/subscribe with Upgrade: websocket: subscribe, unsubscribe and publish over one
// connection, in JSON.
//
//   in:   {"id":1,"subscribe":{"subject":"orders.>","group":"g"}}   {"unsubscribe":{...}}
//         {"id":2,"publish":{"subject":"a.b","data":"hello"}}
//   out:  {"message":{"subject":"orders.eu","data":"hello"}}
//         {"id":1,"ok":true,"count":1}   {"id":2,"error":{"code":"...","message":"..."}}
//
// What has an id is answered; what has none is answered only when it fails. A subscribe is
// answered when every loop knows of it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "tram/net/connection.h"
#include "tram/protocols/http/slow_reader.h"
#include "tram/protocols/http/stream.h"
#include "tram/protocols/http/subscriptions.h"
#include "tram/protocols/http/websocket_frames.h"

namespace tram::protocols::http {

struct WebSocketRequest;

class WebSocket final : public Stream, public broker::Subscriber {
 public:
  // `caller` is whom replies to this stream's commands come to.
  WebSocket(HttpDoor& door, net::Connection& connection, broker::CallerId caller,
            SlowPolicy policy);

  Subscriptions& subscriptions() { return subscriptions_; }
  // The head has been written, and the subscriptions made with it are known everywhere.
  void start();

  broker::Receipt on_message(uint64_t cookie, const broker::Publication& publication) override;
  net::Session::Progress on_bytes(BytesView bytes) override;
  void on_reply(broker::Ticket ticket, broker::Reply& reply) override;
  void on_stop() override { close(CloseCode::going_away, net::CloseReason::stopping); }

 private:
  void take(const FrameReader::Event& event);
  void take_text(BytesView json);
  // Returns how many it reached.
  uint64_t publish(const WebSocketRequest& request);
  void answer(std::optional<uint64_t> id, base::Result<uint64_t> count);
  void send_text(BytesView json);
  void send_frame(Opcode opcode, BytesView payload);
  void close(uint16_t code, net::CloseReason reason = net::CloseReason::by_session);
  void beat();

  HttpDoor& door_;
  net::Connection& connection_;
  const broker::CallerId caller_;
  Subscriptions subscriptions_;
  FrameReader frames_;
  net::Timer heartbeat_;
  std::map<uint64_t, uint64_t> awaited_;  // Ticket to the id that a client gave.
  uint64_t ticket_ = 0;
  std::string early_;  // Frames that came before the start.
  const SlowPolicy policy_;
  bool started_ = false;
  bool answered_ping_ = true;
  bool held_back_ = false;
};

}  // namespace tram::protocols::http
