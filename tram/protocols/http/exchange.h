// One request in hand, and the answer to it: what a handler sees.
//
// A handler answers before it returns, or calls `await` and answers from the broker's reply. The
// request's texts are views into what was read: they are gone when the handler returns, so
// whoever awaits keeps what it needs in its ReplyHandler.
#pragma once

#include <memory>

#include "tram/base/result.h"
#include "tram/broker/engine.h"
#include "tram/net/connection.h"
#include "tram/protocols/http/request_head.h"
#include "tram/protocols/http/router.h"
#include "tram/protocols/http/stream.h"

namespace tram::protocols::http {

using base::SharedBytes;
class HttpDoor;
class HttpSession;

// What happens when the broker answers. Either one object for everybody, with no state, or one
// made for this request and destroyed with it.
class ReplyHandler {
 public:
  virtual ~ReplyHandler() = default;
  // `part` is what the ticket was made with.
  virtual void on_reply(Exchange& exchange, uint32_t part, broker::Reply& reply) = 0;
  // True if it may take long, as it waits for others: then it does not outlive a peer that goes,
  // nor hold up a program that stops.
  virtual bool is_patient() const { return false; }
  // The program stops. Called if it is patient; it must answer.
  virtual void on_stop(Exchange& exchange);
};

struct Answer {
  int status = 200;
  BytesView type = {};  // Content-Type; empty: none.
  BytesView body = {};
  BytesView fields = {};               // More headers: whole lines.
  const SharedBytes* owner = nullptr;  // Holds `body`, if set.
};

inline constexpr BytesView json_type = "application/json";
inline constexpr BytesView gopher_json_type = "application/json; charset=UTF-8";
inline constexpr BytesView text_type = "text/plain; charset=utf-8";
inline constexpr BytesView bytes_type = "application/octet-stream";
inline constexpr BytesView lines_type = "application/x-ndjson";

class Exchange {
 public:
  explicit Exchange(HttpSession& session) : session_(session) {}

  // --- The request: while its handler runs, and has not answered.
  const RequestHead& head() const;
  BytesView body() const { return body_; }
  // Holds the body, if set.
  const SharedBytes* body_owner() const { return body_owner_; }
  // The path's parameter, decoded. Errors: invalid_argument.
  base::Result<std::string> parameter(size_t index) const;
  // As sent, when nothing in it is encoded: costs nothing. Otherwise decoded into `room`.
  base::Result<BytesView> parameter(size_t index, std::string& room) const;

  // --- The broker.
  HttpDoor& door();
  net::Connection& connection();
  broker::Engine& engine();
  broker::CallerId caller();
  broker::Ticket ticket(uint32_t part = 0) const { return {number_ << 32 | part}; }
  // Must come before the command is submitted: its reply may come at once.
  void await(ReplyHandler& handler) { handler_ = &handler; }
  void await(std::unique_ptr<ReplyHandler> handler);

  // Every receiver is behind: this connection's next request is read a moment later.
  void hold_back();

  // --- The answer: exactly one of these, once.
  void answer(const Answer& answer);
  void answer_json(BytesView json, int status = 200) { answer({status, json_type, json}); }
  // In the manners of the route: {"error":{...}} or GopherMQ's {"message":"..."}.
  void refuse(const base::Error& error);
  void refuse(const base::Error& error, int status, BytesView fields = {});
  // Hands the connection over, after a head with these headers. Closes when the stream closes it.
  void become(std::unique_ptr<Stream> stream, BytesView fields, int status);

  bool answered() const { return answered_; }

 private:
  friend class HttpSession;
  // `head` and `match` stay until the answer, or until `forget_texts`.
  void begin(const RequestHead& head, const Match& match, BytesView body, const SharedBytes* owner);
  void forget_texts();
  void refuse_route(base::Errc code, BytesView fields);
  void write_head(const Answer& answer, bool has_length);
  void finish(int status);

  HttpSession& session_;
  // The reader's own, as most connections wait for their next request, and that takes no room.
  const RequestHead* head_ = nullptr;
  const Match* match_ = nullptr;
  BytesView body_;
  const SharedBytes* body_owner_ = nullptr;
  size_t place_ = 0;  // In the table of routes.
  Method method_ = Method::other;
  uint8_t minor_version_ = 1;
  Manners manners_ = Manners::tram;
  ReplyHandler* handler_ = nullptr;
  std::unique_ptr<ReplyHandler> own_handler_;
  uint64_t number_ = 0;  // Of this request on its connection; tickets carry it.
  base::Time begun_;
  bool answered_ = true;
};

}  // namespace tram::protocols::http
