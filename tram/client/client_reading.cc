// What a client reads, and how it waits.
#include <fmt/core.h>

#include "tram/client/client.h"

namespace tram::client {

using base::BytesView;
using base::Duration;
using base::Errc;
using base::Error;
using base::failure;
using base::Result;
using base::Time;

// One call that reads: the shared buffer is ours meanwhile, and handlers may not start another.
class Client::Reading {
 public:
  explicit Reading(Client& client) : client_(client) {
    client_.reading_ = true;
    if (client_.connection_) client_.connection_->unpark();
  }
  ~Reading() {
    client_.reading_ = false;
    if (client_.connection_) client_.connection_->park();
  }

 private:
  Client& client_;
};

Result<> Client::check_may_read() const {
  if (reading_) return failure(Errc::invalid_argument, "a handler may not call what reads");
  if (closed_) return failure(Errc::connection_lost, "this client was closed");
  if (backlog_bytes_ > options_.backlog_bytes_max) {
    return failure(Errc::overloaded, "take the waiting messages with next() first");
  }
  return {};
}

void Client::handle_message(const Frame& frame, Subscription& subscription, uint64_t sid) {
  ++subscription.received;
  Message message{SubscriptionId{sid}, frame.subject, frame.reply, HeadersView(frame.headers),
                  frame.payload};
  bool last = subscription.messages_max != 0 && subscription.received >= subscription.messages_max;
  if (subscription.handler) {
    subscription.handler(message);
  } else {
    pulled_ = message;
  }
  // The handler may have ended its own subscription; then it waits in `ended_`.
  if (last && subscriptions_.erase(sid) != 0) recent_ = nullptr;
  if (!ended_.empty()) ended_.clear();
}

void Client::handle_error(BytesView text) {
  Error error = error_from_server(text);
  tell(Event::server_error, error.text());
  server_error_ = std::move(error);
}

bool Client::handle(const Frame& frame) {
  switch (frame.kind) {
    case FrameKind::message:
      if (frame.sid != recent_sid_ || recent_ == nullptr) {
        auto found = subscriptions_.find(frame.sid);
        if (found == subscriptions_.end()) return false;  // was on its way when it was ended
        recent_sid_ = frame.sid;
        recent_ = found->second.get();
      }
      handle_message(frame, *recent_, frame.sid);
      return pulled_.has_value();
    case FrameKind::ping:
      connection_->write_line("PONG");
      return false;
    case FrameKind::pong:
      ++pongs_received_;
      return false;
    case FrameKind::info: {
      auto info = parse_info(frame.text);
      if (!info) return false;
      bool news = info->lame_duck && !info_.lame_duck;
      info_ = std::move(*info);
      learn_servers();
      if (news) tell(Event::lame_duck, "the server is about to stop");
      return false;
    }
    case FrameKind::error:
      handle_error(frame.text);
      return false;
    case FrameKind::ok:
      return false;
  }
  return false;
}

// Handles what was received until `stop` or a message for `next`; true for the latter.
template <class Stop>
Result<bool> Client::dispatch(Stop stop) {
  Frame frame;
  while (!stop()) {
    if (!connection_) return failure(Errc::connection_lost);  // lost by a handler's publish
    auto found = connection_->next_frame(frame);
    if (!found) return std::unexpected(lose(found.error()));
    if (!*found) return false;
    if (handle(frame)) return true;
  }
  return false;
}

// A connection that broke while we were writing may still hold the server's reason.
Error Client::absorb_last_words(Error why) {
  if (!connection_) return why;
  for (int i = 0; i < 4; ++i) {
    auto received = connection_->receive();
    if (!received || !*received) break;
  }
  Frame frame;
  for (;;) {
    auto found = connection_->next_frame(frame);
    if (!found || !*found) return why;
    if (frame.kind == FrameKind::error) handle_error(frame.text);
  }
}

Result<> Client::keep_alive(Time now) {
  if (now < next_ping_) return {};
  if (silences_ >= 2) {
    return std::unexpected(lose({Errc::timed_out, "the server gave no sign of life"}));
  }
  ++silences_;
  ++pings_sent_;
  connection_->write_line("PING");
  next_ping_ = now + options_.ping_interval;
  return {};
}

// Sends what waits and reads once something is there; false when the deadline has passed.
Result<bool> Client::receive_until(Time deadline) {
  for (;;) {
    if (auto connected = ensure_connected(deadline); !connected) {
      return std::unexpected(connected.error());
    }
    if (auto sent = connection_->send_some(); !sent) {
      return std::unexpected(lose(absorb_last_words(sent.error())));
    }
    Time now = clock_.now();
    if (auto alive = keep_alive(now); !alive) return std::unexpected(alive.error());
    requests_.expire(now);
    if (now >= deadline) return false;
    Time wake = std::min({deadline, next_ping_, requests_.next_deadline()});
    auto ready = connection_->wait(clock_, wake, options_.stop);
    if (!ready) return std::unexpected(ready.error());
    if (!ready->readable) {
      if (ready->writable) continue;
      // Handlers told of an expired request may have ended what is waited for.
      if (requests_.next_deadline() <= clock_.now()) {
        requests_.expire(clock_.now());
        return true;
      }
      continue;
    }
    auto received = connection_->receive();
    if (!received) return std::unexpected(lose(received.error()));
    if (*received) {
      silences_ = 0;
      next_ping_ = clock_.now() + options_.ping_interval;
      return true;
    }
  }
}

// Errors: timed_out when `stop` has not come true by the deadline, and receive_until's.
template <class Stop>
Result<> Client::read_until(Time deadline, Stop stop) {
  for (;;) {
    while (!stop()) {
      if (!connection_) break;
      auto pulled = dispatch(stop);
      if (!pulled) return std::unexpected(pulled.error());
      if (!*pulled) break;
      backlog_.emplace_back(*pulled_);
      backlog_bytes_ += backlog_.back().bytes();
      pulled_.reset();
    }
    if (stop()) return {};
    if (backlog_bytes_ > options_.backlog_bytes_max) {
      return failure(Errc::overloaded, "take the waiting messages with next() first");
    }
    auto received = receive_until(deadline);
    if (!received) return std::unexpected(received.error());
    if (!*received) return failure(Errc::timed_out);
  }
}

Result<> Client::flush(Duration timeout) {
  if (auto may = check_may_read(); !may) return may;
  Reading reading(*this);
  Time deadline = clock_.now() + timeout;
  if (auto connected = ensure_connected(deadline); !connected) return connected;
  uint64_t wanted = ++pings_sent_;
  connection_->write_line("PING");
  auto read = read_until(deadline, [&] { return pongs_received_ >= wanted; });
  if (!read) {
    if (read.error().code == Errc::connection_lost) lost_unflushed_ = false;
    return read;
  }
  unflushed_ = false;
  if (std::exchange(lost_unflushed_, false)) {
    server_error_.reset();
    return failure(Errc::connection_lost, "some of what was published may not have arrived");
  }
  if (server_error_) return std::unexpected(*std::exchange(server_error_, std::nullopt));
  return {};
}

Result<std::optional<Message>> Client::next(Duration timeout) {
  if (!backlog_.empty() && !reading_) {
    handed_out_ = std::move(backlog_.front());
    backlog_.pop_front();
    backlog_bytes_ -= handed_out_->bytes();
    return handed_out_->view();
  }
  if (auto may = check_may_read(); !may) return std::unexpected(may.error());
  Reading reading(*this);
  Time deadline = clock_.now() + timeout;
  for (;;) {
    if (connection_) {
      auto pulled = dispatch([] { return false; });
      if (!pulled && (!options_.reconnect || pulled.error().code != Errc::connection_lost)) {
        return std::unexpected(pulled.error());
      }
      if (pulled && *pulled) return std::exchange(pulled_, std::nullopt);
    }
    auto received = receive_until(deadline);
    if (!received) {
      bool again = options_.reconnect && !connection_ && clock_.now() < deadline &&
                   received.error().code == Errc::connection_lost;
      if (!again) return std::unexpected(received.error());
    } else if (!*received) {
      return std::nullopt;
    }
  }
}

Result<Message> Client::request(BytesView subject, BytesView payload,
                                const RequestOptions& options) {
  if (auto may = check_may_read(); !may) return std::unexpected(may.error());
  std::optional<Result<Message>> answer;
  RequestOptions once = options;
  once.replies_max = 1;
  auto number =
      request_later(subject, payload, once, [&](const Result<Message>& reply) { answer = reply; });
  if (!number) return std::unexpected(number.error());
  Reading reading(*this);
  auto read = read_until(Time::never(), [&] { return answer.has_value(); });
  if (answer) return *answer;
  forget(*number);
  return std::unexpected(read.error());
}

Result<> Client::run_until(const std::function<bool()>& done, Duration timeout) {
  if (auto may = check_may_read(); !may) return may;
  Reading reading(*this);
  Time deadline = clock_.now() + timeout;
  for (;;) {
    auto read = read_until(deadline, [&] { return done(); });
    if (read) return read;
    bool again = options_.reconnect && !connection_ && !closed_ && clock_.now() < deadline &&
                 read.error().code == Errc::connection_lost;
    if (!again) return read;
    if (done()) return {};  // a handler heard of the loss and wants no more
  }
}

Result<> Client::drain(Duration timeout) {
  if (auto may = check_may_read(); !may) return may;
  if (connection_) {
    for (const auto& [sid, subscription] : subscriptions_) connection_->write_unsubscribe(sid, 0);
  }
  // The subscriptions are kept until PONG: until then messages may be on their way.
  auto flushed = flush(timeout);
  subscriptions_.clear();
  recent_ = nullptr;
  close();
  return flushed;
}

Result<size_t> Client::poll() {
  if (auto may = check_may_read(); !may) return std::unexpected(may.error());
  if (!connection_) return failure(Errc::connection_lost);
  Reading reading(*this);
  auto received = connection_->receive();
  if (!received) return std::unexpected(lose(received.error()));
  Time now = clock_.now();
  if (*received) {
    silences_ = 0;
    next_ping_ = now + options_.ping_interval;
  } else if (auto alive = keep_alive(now); !alive) {
    return std::unexpected(alive.error());
  }
  size_t count = 0;
  auto never = [&] {
    ++count;
    return false;
  };
  auto pulled = dispatch(never);
  while (pulled && *pulled) {
    backlog_.emplace_back(*pulled_);
    backlog_bytes_ += backlog_.back().bytes();
    pulled_.reset();
    pulled = dispatch(never);
  }
  if (!pulled) return std::unexpected(pulled.error());
  requests_.expire(now);
  if (!connection_) return failure(Errc::connection_lost);  // lost by a handler's publish
  if (auto sent = connection_->send_some(); !sent) {
    return std::unexpected(lose(absorb_last_words(sent.error())));
  }
  return count - 1;
}

}  // namespace tram::client
