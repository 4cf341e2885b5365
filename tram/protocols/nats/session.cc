#include "tram/protocols/nats/session.h"

#include "tram/protocols/nats/door.h"
#include "tram/protocols/nats/queue_requests.h"
#include "tram/protocols/nats/tickets.h"
#include "tram/protocols/nats/words.h"

namespace tram::protocols::nats {

NatsSession::NatsSession(NatsDoor& door, net::Connection& connection, uint64_t client_id)
    : door_(door),
      connection_(connection),
      caller_(door.engine().enrol(*this)),
      client_id_(client_id),
      admitted_(!door.options().access.required()),
      heard_at_(door.engine().now()),
      alarm_([this] { on_alarm(); }) {
  door_.counters_of_sessions().connections.add();
  door_.counters_of_sessions().connections_total.add();
  connection_.send(info_line(door_.options(), client_id_, connection_.peer_address(), false));
  connection_.loop().start(
      alarm_, admitted_ ? door_.options().ping_interval : door_.options().auth_timeout);
}

NatsSession::~NatsSession() {
  for (const Subscription& subscription : subscriptions_)
    if (subscription.id) door_.engine().drop(subscription.id);
  queue_requests_.reset();
  door_.engine().depart(caller_);
  door_.counters_of_sessions().connections.subtract();
}

net::Session::Progress NatsSession::on_bytes(BytesView bytes, const base::SharedBytes* owner) {
  heard_at_ = door_.engine().now();
  pings_out_ = 0;
  size_t used = 0;
  while (used < bytes.size()) {
    BytesView rest = bytes.substr(used);
    Line line;
    switch (parse_line(rest, door_.options().control_line_max, line)) {
      case LineStatus::incomplete:
        return {used, 0};
      case LineStatus::too_long:
        refuse(words::control_line_exceeded);
        return {used, 0};
      case LineStatus::unknown:
        refuse(words::unknown_operation);
        return {used, 0};
      case LineStatus::whole:
        break;
    }
    size_t size = line.size;
    switch (take(line, rest, owner, size)) {
      case Taken::done:
        used += size;
        break;
      case Taken::more:
        return {used, needed_};
      case Taken::stopped:
        return {used + size, 0};
    }
  }
  return {used, 0};
}

NatsSession::Taken NatsSession::take(const Line& line, BytesView bytes,
                                     const base::SharedBytes* owner, size_t& size) {
  if (!admitted_ && line.verb != Verb::connect) return refuse(words::authorization_violation);
  switch (line.verb) {
    case Verb::pub:
      return take_pub(line, false, bytes, owner, size);
    case Verb::hpub:
      return take_pub(line, true, bytes, owner, size);
    case Verb::sub:
      return take_sub(line.arguments);
    case Verb::unsub:
      return take_unsub(line.arguments);
    case Verb::ping:
      return say_when_known(words::pong);
    case Verb::connect:
      return take_connect(line.arguments);
    case Verb::err:
      // The client has found us wanting: nothing more will come of this.
      return refuse({});
    case Verb::pong:  // `pings_out_` was cleared by the bytes themselves.
    case Verb::info:
    case Verb::ok:
      return Taken::done;
  }
  return Taken::done;
}

NatsSession::Taken NatsSession::take_connect(BytesView arguments) {
  std::optional<Connect> connect = parse_connect(arguments, options_);
  if (!connect) return refuse({});
  const Credentials& credentials = connect->credentials;
  if (!door_.options().access.admits(credentials.user, credentials.password, credentials.token)) {
    door_.log().write(base::LogLevel::warn, base::LogLine("unauthorized")
                                                .with("door", "nats")
                                                .with("client", client_id_)
                                                .with("peer", connection_.peer_address()));
    return refuse(words::authorization_violation);
  }
  if (connect->options.no_responders && !connect->options.headers)
    return refuse(words::headers_needed);
  options_ = connect->options;
  if (!admitted_) connection_.loop().start(alarm_, door_.options().ping_interval);
  admitted_ = true;
  return say_ok();
}

NatsSession::Taken NatsSession::say_ok() {
  if (options_.verbose) connection_.send(words::ok);
  return Taken::done;
}

NatsSession::Taken NatsSession::refuse(BytesView last_words) {
  if (!last_words.empty()) door_.counters_of_sessions().errors.add();
  connection_.send(last_words);
  connection_.close();
  return Taken::stopped;
}

// A client that has its answer may tell others to publish, on any loop. So nothing more is read
// from it until they all know what it subscribed to: with one loop, that is at once.
NatsSession::Taken NatsSession::say_when_known(BytesView word) {
  if (door_.engine().known_everywhere(caller_, ticket_of(TicketKind::word, 0))) {
    connection_.send(word);
    return Taken::done;
  }
  awaited_word_ = word;
  connection_.pause();
  return Taken::stopped;
}

void NatsSession::on_reply(broker::Ticket ticket, broker::Reply& reply) {
  switch (kind_of(ticket)) {
    case TicketKind::word:
      connection_.send(awaited_word_);
      connection_.resume();
      break;
    case TicketKind::slot:
      free_slot(number_of(ticket));
      break;
    case TicketKind::queue_request:
      queue_requests_->on_reply(number_of(ticket), reply);
      break;
  }
}

void NatsSession::on_alarm() {
  if (!admitted_) {
    refuse(words::authentication_timeout);
    return;
  }
  const NatsOptions& options = door_.options();
  base::Time now = door_.engine().now();
  if (now - heard_at_ < options.ping_interval) {
    // It spoke meanwhile: ask when it has been silent for a whole interval.
    connection_.loop().timers().start(alarm_, heard_at_ + options.ping_interval);
    return;
  }
  if (pings_out_ >= options.pings_max) {
    refuse(words::stale_connection);
    return;
  }
  ++pings_out_;
  connection_.send(words::ping);
  connection_.loop().start(alarm_, options.ping_interval);
}

void NatsSession::on_stop() {
  // Clients that know of it move to another server, or wait for this one to be back.
  if (options_.protocol >= 1 && !connection_.ending())
    connection_.send(info_line(door_.options(), client_id_, connection_.peer_address(), true));
  connection_.close(net::CloseReason::stopping);
}

void NatsSession::on_closed(net::CloseReason reason) {
  if (reason != net::CloseReason::slow_consumer && reason != net::CloseReason::write_stalled)
    return;
  door_.counters_of_sessions().slow_consumers.add();
  door_.log().write(base::LogLevel::warn, base::LogLine("slow_consumer")
                                              .with("door", "nats")
                                              .with("client", client_id_)
                                              .with("peer", connection_.peer_address())
                                              .with("reason", name_of(reason)));
}

}  // namespace tram::protocols::nats
