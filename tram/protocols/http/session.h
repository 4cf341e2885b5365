// HTTP/1.1 on one connection: reads requests, has them handled one after the other, and keeps
// the clock on whoever is slow.
//
// Nothing of a request is copied: a body that has not arrived stays with the connection until
// it has, and a large one is read straight into one shared piece. Only chunked bodies are
// put together here.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tram/broker/engine.h"
#include "tram/net/connection.h"
#include "tram/net/session.h"
#include "tram/protocols/http/chunked_body.h"
#include "tram/protocols/http/exchange.h"

namespace tram::protocols::http {

class HttpDoor;

class HttpSession final : public net::Session, public broker::Caller {
 public:
  HttpSession(HttpDoor& door, net::Connection& connection);
  ~HttpSession() override;

  Progress on_bytes(BytesView bytes, const SharedBytes* owner) override;
  bool on_end() override;
  void on_stop() override;
  void on_reply(broker::Ticket ticket, broker::Reply& reply) override;

 private:
  friend class Exchange;
  enum class Phase { idle, head, body, answering, streaming };
  struct Gathered;
  // What became of the bytes: consumed ones are done with; `more` if the next request may follow.
  struct Step {
    size_t consumed = 0;
    size_t needed = 0;
    bool more = false;
  };

  Step next_request(BytesView bytes, const SharedBytes* owner);
  Step read_body(const RequestHead& head, const Match& found, BytesView bytes,
                 const SharedBytes* owner);
  Step gather(BytesView bytes);
  bool turn_away(const RequestHead& head, const Match& found);
  void answer_options(const RequestHead& head, const Match& found);
  bool go_on();
  void handle(const RequestHead& head, const Match& found, BytesView body,
              const SharedBytes* owner);
  void abandon();
  void refuse_connection(int status, const base::Error& error);
  bool admits(const RequestHead& head) const;
  bool comes_from_elsewhere(const RequestHead& head) const;
  uint64_t body_size_max(const RequestHead& head, const Match& found) const;
  void enter(Phase phase, base::Duration limit);
  void on_deadline();
  void answered();

  HttpDoor& door_;
  net::Connection& connection_;
  Exchange exchange_;
  std::unique_ptr<Gathered> gathered_;  // A chunked body on its way.
  std::unique_ptr<Stream> stream_;
  broker::CallerId caller_;
  net::Timer timer_;
  base::Time deadline_ = base::Time::never();
  size_t scanned_ = 0;
  Phase phase_ = Phase::idle;
  bool in_handler_ = false;
  bool paused_ = false;
  bool closes_ = false;         // After the answer in hand.
  bool continue_sent_ = false;  // For the request that is being read.
  bool held_back_ = false;      // By the request that was handled last.
  bool stopping_ = false;
};

}  // namespace tram::protocols::http
