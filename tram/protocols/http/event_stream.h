// GET /v1/subscribe: messages as Server-Sent Events.
//
//   id: 1
//   data: {"subject":"orders.eu.paid","data":"hello"}
//
// The answer's head goes out when every loop knows of the subscriptions: whoever has seen it
// misses nothing. Messages that come before it wait, up to `early_size_max` bytes of them.
#pragma once

#include <string>

#include "tram/net/connection.h"
#include "tram/protocols/http/slow_reader.h"
#include "tram/protocols/http/stream.h"
#include "tram/protocols/http/subscriptions.h"

namespace tram::protocols::http {

class EventStream final : public Stream, public broker::Subscriber {
 public:
  static constexpr size_t early_size_max = size_t{1} << 20;

  EventStream(HttpDoor& door, net::Connection& connection, SlowPolicy policy);

  Subscriptions& subscriptions() { return subscriptions_; }
  // The head has been written.
  void start();

  broker::Receipt on_message(uint64_t cookie, const broker::Publication& publication) override;
  // A client has nothing to say here; what it says is not looked at.
  net::Session::Progress on_bytes(BytesView bytes) override { return {bytes.size()}; }
  void on_reply(broker::Ticket, broker::Reply&) override {}
  void on_stop() override { connection_.close(net::CloseReason::stopping); }

 private:
  void beat();

  HttpDoor& door_;
  net::Connection& connection_;
  Subscriptions subscriptions_;
  net::Timer heartbeat_;
  std::string early_;  // Events that came before the start.
  uint64_t number_ = 0;
  const SlowPolicy policy_;
  bool started_ = false;
};

}  // namespace tram::protocols::http
