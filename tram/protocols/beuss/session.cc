#include "tram/protocols/beuss/session.h"

namespace tram::protocols::beuss {

namespace {

constexpr broker::Ticket request_ticket{1};
constexpr broker::Ticket settle_ticket{2};  // Nobody waits for its replies.

// Long enough for any reader that reads at all: one that does not is cut off by the connection,
// and a lost connection ends the lease at once.
constexpr base::Duration lease = std::chrono::minutes(10);
// How often to look whether a large answer has left.
constexpr base::Duration settle_interval = std::chrono::milliseconds(20);

}  // namespace

BeussSession::BeussSession(BeussDoor& door, net::Connection& connection)
    : door_(door),
      connection_(connection),
      caller_(door.engine_.enrol(*this)),
      gatherer_(door.options_.message_bytes_max),
      message_end_([this] { on_message(); }),
      settle_later_([this] { on_turn_end(); }) {
  door_.counters_.connections.add();
  door_.counters_.connections_total.add();
}

BeussSession::~BeussSession() {
  door_.loop_.forget(static_cast<net::TurnEnd&>(*this));
  door_.engine_.depart(caller_);
  door_.counters_.connections.subtract();
}

// --- Gathering.

net::Session::Progress BeussSession::on_bytes(BytesView bytes, const net::SharedBytes*) {
  settle();
  gatherer_.add(bytes);
  // Zero: after everything else of this turn, so that a second piece that is there already still
  // joins the first.
  base::Duration wait =
      may_go_on(mode_, gatherer_.message()) ? door_.options_.pause : base::Duration();
  door_.loop_.start(message_end_, wait);
  return {.consumed = bytes.size()};
}

bool BeussSession::on_end() {
  settle();
  // Nothing more can come: what is there is the message.
  if (!gatherer_.empty() && !awaiting_) on_message();
  // With an answer outstanding, the connection asks again once it is there.
  return awaiting_;
}

void BeussSession::on_stop() {
  stopping_ = true;
  finish_if_stopping();
}

void BeussSession::finish_if_stopping() {
  if (stopping_ && !awaiting_ && gatherer_.empty() && unsettled_.empty())
    connection_.close(net::CloseReason::stopping);
}

// --- Carrying out.

void BeussSession::on_message() {
  door_.loop_.timers().stop(message_end_);
  if (connection_.ending()) return;
  Request request = read_request(mode_, gatherer_.message());
  if (gatherer_.cut() > 0 && request.kind == Request::Kind::put) {
    door_.cuts_.add();
    door_.cut_log_.happened();
  }
  carry_out(request);
  gatherer_.clear();
  finish_if_stopping();
}

void BeussSession::carry_out(const Request& request) {
  switch (request.kind) {
    case Request::Kind::set_mode:
      mode_ = request.mode;
      answer(answer_ok);
      return;
    case Request::Kind::put:
      door_.counters_.messages_in.add();
      door_.counters_.bytes_in.add(request.body.size());
      submit(broker::Put{.queue = request.queue, .content = broker::Content({}, request.body)});
      return;
    case Request::Kind::get:
      submit(broker::Take{.queue = request.queue, .wait = {}, .linger = {}, .lease = lease});
      return;
    case Request::Kind::refuse:
      refuse();
      return;
    case Request::Kind::quit:
      connection_.close(net::CloseReason::by_peer);
      return;
    case Request::Kind::hang_up:
      door_.counters_.errors.add();
      connection_.close();
      return;
  }
}

void BeussSession::submit(broker::Command command) {
  awaiting_ = true;
  door_.engine_.submit(caller_, request_ticket, std::move(command));
  if (!awaiting_) return;
  paused_ = true;
  connection_.pause();
}

void BeussSession::on_reply(broker::Ticket ticket, broker::Reply& reply) {
  if (ticket != request_ticket) return;
  awaiting_ = false;
  if (auto* delivery = std::get_if<broker::Delivery>(&reply))
    deliver(*delivery);
  else if (std::holds_alternative<broker::Stored>(reply))
    answer(answer_ok);
  else if (std::holds_alternative<broker::TakeEnded>(reply))
    answer(answer_empty);
  else
    refuse();
  if (!paused_) return;
  paused_ = false;
  connection_.resume();
  finish_if_stopping();
}

// --- Answering.

void BeussSession::answer(BytesView text) {
  if (connection_.ending()) return;
  // Whoever asks on and on without reading the answers.
  if (connection_.outbox_is_full()) {
    door_.counters_.slow_consumers.add();
    connection_.abort(net::CloseReason::slow_consumer);
    return;
  }
  connection_.send(text);
}

void BeussSession::refuse() {
  door_.counters_.errors.add();
  answer(answer_ko);
}

void BeussSession::deliver(broker::Delivery& delivery) {
  BytesView payload = delivery.content.payload();
  if (payload.empty() || payload.size() > door_.options_.message_bytes_max) {
    door_.undeliverable_.add();
    door_.undeliverable_log_.happened();
    door_.engine_.submit(caller_, settle_ticket,
                         broker::Release{.queue = delivery.queue,
                                         .id = delivery.id,
                                         .token = delivery.token,
                                         .attempted = false});
    refuse();
    return;
  }
  // Not acknowledged: it goes back when this session departs.
  if (connection_.ending()) return;
  if (payload.size() >= net::share_size_min && !connection_.outbox_is_full())
    connection_.outbox().append_shared(delivery.content.bytes(), payload);
  else
    answer(payload);
  if (connection_.ending()) return;
  door_.counters_.messages_out.add();
  door_.counters_.bytes_out.add(payload.size());
  unsettled_.push_back({std::move(delivery.queue), delivery.id, delivery.token});
  // Behind the connection, which writes when its turn ends.
  door_.loop_.at_turn_end(*this);
}

void BeussSession::on_turn_end() {
  settle();
  if (!unsettled_.empty()) door_.loop_.start(settle_later_, settle_interval);
}

void BeussSession::settle() {
  if (unsettled_.empty() || connection_.pending() > 0) return;
  for (Unsettled& done : unsettled_)
    door_.engine_.submit(caller_, settle_ticket,
                         broker::Ack{.queue = done.queue, .id = done.id, .token = done.token});
  unsettled_.clear();
  finish_if_stopping();
}

void BeussSession::on_closed(net::CloseReason reason) {
  // These come only after everything was written; in all other cases the messages go back.
  if (reason == net::CloseReason::by_peer || reason == net::CloseReason::by_session) settle();
  unsettled_.clear();
}

}  // namespace tram::protocols::beuss
