// How a client's connection begins, ends, and begins again.
#include <algorithm>
#include <sys/random.h>
#include <unistd.h>

#include "tram/client/client.h"

namespace tram::client {

using base::Clock;
using base::Duration;
using base::Errc;
using base::Error;
using base::failure;
using base::Result;
using base::Time;

namespace {

uint64_t chosen_seed(uint64_t seed) {
  if (seed != 0) return seed;
  if (::getrandom(&seed, sizeof seed, 0) == sizeof seed) return seed;
  return static_cast<uint64_t>(::getpid());  // a kernel without getrandom: at least our own
}

std::string random_word(base::Random& random) {
  constexpr std::string_view letters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string word;
  for (int i = 0; i < 22; ++i) word += letters[random.below(letters.size())];
  return word;
}

}  // namespace

Client::Client(Options options, const Clock& clock)
    : clock_(clock),
      options_(std::move(options)),
      random_(chosen_seed(options_.seed)),
      servers_(options_.servers),
      inbox_("_INBOX." + random_word(random_)) {}

Result<std::unique_ptr<Client>> Client::connect(Options options, const Clock& clock) {
  if (options.servers.empty()) return failure(Errc::invalid_argument, "no server was named");
  std::unique_ptr<Client> client(new Client(std::move(options), clock));
  Duration timeout = client->options_.connect_timeout;
  if (auto open = client->try_all(clock.now() + timeout); !open) {
    return std::unexpected(open.error());
  }
  return client;
}

void Client::tell(Event event, std::string_view words) const {
  if (options_.on_event) options_.on_event(event, words);
}

// One attempt at each server, from the one used last.
Result<> Client::try_all(Time deadline) {
  Result<> opened = failure(Errc::unreachable);
  for (size_t i = 0; i < servers_.size(); ++i) {
    Address address = servers_[server_index_];
    opened = open(address, std::min(deadline, clock_.now() + options_.connect_timeout));
    if (opened || opened.error().code == Errc::cancelled) return opened;
    server_index_ = (server_index_ + 1) % servers_.size();
  }
  return opened;
}

Result<> Client::open(const Address& address, Time deadline) {
  auto socket = Socket::connect(address.host, address.port, clock_, deadline, options_.stop);
  if (!socket) return std::unexpected(socket.error());
  connection_ =
      std::make_unique<Connection>(std::move(*socket), options_.read_buffer, options_.limits);
  connection_->unpark();
  auto met = shake_hands(address, deadline);
  if (!met) {
    connection_.reset();
    return met;
  }
  connection_->park();
  server_error_.reset();
  silences_ = 0;
  pongs_received_ = pings_sent_;
  next_ping_ = clock_.now() + options_.ping_interval;
  return {};
}

// INFO comes first; then CONNECT, the subscriptions and PING go, and PONG ends it.
Result<> Client::shake_hands(const Address& address, Time deadline) {
  bool introduced = false;
  for (;;) {
    Frame frame;
    for (;;) {
      auto found = connection_->next_frame(frame);
      if (!found) return std::unexpected(found.error());
      if (!*found) break;
      if (frame.kind == FrameKind::error) return std::unexpected(error_from_server(frame.text));
      if (frame.kind == FrameKind::pong && introduced) return {};
      if (frame.kind == FrameKind::ping) connection_->write_line("PONG");
      if (frame.kind != FrameKind::info || introduced) continue;

      auto info = parse_info(frame.text);
      if (!info) return std::unexpected(info.error());
      if (info->tls_required) {
        return failure(Errc::protocol_error,
                       "the server wants TLS, which this client does not speak");
      }
      info_ = std::move(*info);
      learn_servers();
      Address who = address;
      if (who.user.empty() && who.password.empty() && who.token.empty()) {
        who.user = options_.user;
        who.password = options_.password;
        who.token = options_.token;
      }
      connection_->write_line(connect_line(
          {.name = options_.name, .echo = options_.echo, .headers = info_.headers}, who));
      // Before PING: a server that refuses us says so in place of PONG, so subscriptions
      // that go along cost no further round trip.
      for (auto& [sid, subscription] : subscriptions_) {
        if (subscription->messages_max != 0) {
          subscription->messages_max -= subscription->received;
        }
        subscription->received = 0;
        write_subscription(sid, *subscription);
      }
      connection_->write_line("PING");
      introduced = true;
    }
    auto ready = connection_->wait(clock_, deadline, options_.stop);
    if (!ready) return std::unexpected(ready.error());
    if (!ready->readable && !ready->writable) {
      return failure(Errc::timed_out, introduced
                                          ? "the server accepts connections but does not answer"
                                          : "something listens there but says nothing");
    }
    if (auto sent = connection_->send_some(); !sent) return sent;
    if (ready->readable) {
      if (auto read = connection_->receive(); !read) return std::unexpected(read.error());
    }
  }
}

// Other servers of the same cluster, as alternatives for later.
void Client::learn_servers() {
  constexpr size_t servers_max = 64;
  for (const std::string& url : info_.connect_urls) {
    auto address = parse_address(url);
    if (!address || servers_.size() >= servers_max) continue;
    bool known = std::any_of(servers_.begin(), servers_.end(),
                             [&](const Address& other) { return other.same_place(*address); });
    if (known) continue;
    address->user = servers_[server_index_].user;
    address->password = servers_[server_index_].password;
    address->token = servers_[server_index_].token;
    servers_.push_back(std::move(*address));
  }
}

// The connection is gone: everybody who waited for it is told. Returns the error to report.
Error Client::lose(Error why) {
  if (server_error_) why = *server_error_;
  if (why.code != Errc::unauthorized && why.code != Errc::protocol_error) {
    why.code = Errc::connection_lost;
  }
  if (unflushed_ || requests_.size() != 0) lost_unflushed_ = true;
  unflushed_ = false;
  connection_.reset();
  tell(Event::disconnected, why.text());
  bool outer = std::exchange(reading_, true);  // handlers are told, and may not call back
  requests_.fail_all(why);
  reading_ = outer;
  return why;
}

Result<> Client::await_connection(Duration timeout) {
  if (auto may = check_may_read(); !may) return may;
  return ensure_connected(clock_.now() + timeout);
}

Result<> Client::ensure_connected(Time deadline) {
  if (closed_) return failure(Errc::connection_lost, "this client was closed");
  if (connection_) return {};
  if (!options_.reconnect) return failure(Errc::connection_lost);
  if (server_error_ && server_error_->code == Errc::unauthorized) {
    return std::unexpected(*server_error_);
  }
  for (unsigned attempt = 1;; ++attempt) {
    Duration delay = options_.backoff.delay_before(attempt, random_);
    auto paused = pause_until(clock_, std::min(deadline, clock_.now() + delay), options_.stop);
    if (!paused) return paused;
    auto opened = try_all(deadline);
    if (opened) {
      tell(Event::reconnected, address().text());
      return {};
    }
    Errc code = opened.error().code;
    if (code == Errc::cancelled || code == Errc::unauthorized) return opened;
    if (clock_.now() >= deadline) return failure(Errc::connection_lost, opened.error().text());
  }
}

}  // namespace tram::client
