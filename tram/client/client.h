// A client of any NATS server, Tram's broker first.
//
//   base::SystemClock clock;
//   auto client = Client::connect({.servers = *parse_addresses("127.0.0.1:4222")}, clock);
//   if (!client) return fail(client.error());
//   (*client)->subscribe("orders.>", {}, [](const Message& message) { ... });
//   (*client)->publish("orders.eu.paid", "hello");
//   (*client)->run_until([&] { return enough; }, 10s);
//
// One thread: a client belongs to the thread that calls it, and has none of its own. It
// reads only inside the calls that say "reads" here, and handlers run only inside those. A
// handler may publish, subscribe and unsubscribe, but may not call what reads: that is
// refused with invalid_argument.
//
// Writes are buffered and go out when the buffer is full and whenever a call reads or
// waits. Publishing and receiving allocate nothing per message; a Message is a view that is
// good until the next call that reads.
//
// Lost connections: with `reconnect`, the calls that read connect again, with growing
// pauses, within their own time-out, and subscribe again. What was published and not yet
// flushed may be lost then, and the next `flush` says so; nothing is ever sent twice.
// Every wait ends with Errc::cancelled when `stop` becomes readable.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tram/base/backoff.h"
#include "tram/base/clock.h"
#include "tram/base/random.h"
#include "tram/base/result.h"
#include "tram/client/address.h"
#include "tram/client/connection.h"
#include "tram/client/handshake.h"
#include "tram/client/message.h"
#include "tram/client/requests.h"

namespace tram::client {

enum class Event { disconnected, reconnected, server_error, lame_duck };

using Handler = std::function<void(const Message&)>;

struct Options {
  std::vector<Address> servers;  // tried in turn, from the first
  // Who we are where an address does not say.
  std::string user = {}, password = {}, token = {};
  std::string name = "tram";
  bool echo = true;  // false: our own publishes do not come back to us
  bool reconnect = true;
  base::Duration connect_timeout = std::chrono::seconds(5);
  base::Backoff backoff = {};
  // A silent server is asked for a sign of life this often, and given up after two silences.
  base::Duration ping_interval = std::chrono::seconds(30);
  // `publish` sends when this much waits, and waits when four times this much cannot be sent.
  size_t write_buffer_bytes = 128 * 1024;
  // Messages for `next` that arrive during other calls; above it those calls refuse to read.
  size_t backlog_bytes_max = 64 * 1024 * 1024;
  ParserLimits limits = {};
  StopDescriptor stop = {};
  // For many clients in one thread: one buffer that they read into in turn. Then use `poll`.
  std::shared_ptr<Buffer> read_buffer = {};
  // Told with a sentence. May not call the client.
  std::function<void(Event, std::string_view)> on_event = {};
  uint64_t seed = 0;  // of inbox names and jitter; 0 asks the operating system for one
};

struct SubscribeOptions {
  std::string group = {};     // members of a group share the messages
  uint64_t messages_max = 0;  // ends by itself after so many; 0: never
};

struct RequestOptions {
  base::BytesView headers = {};
  uint64_t replies_max = 1;
  base::Duration timeout = std::chrono::seconds(5);
};

class Client {
 public:
  // Tries each server once. Errors: the last one's: unreachable, unauthorized, timed_out,
  // protocol_error, cancelled.
  static base::Result<std::unique_ptr<Client>> connect(Options options, const base::Clock& clock);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // --- writing ---

  // `headers` is a whole block (Headers::block). Errors: invalid_subject,
  // wildcard_in_publish, message_too_large, connection_lost, cancelled.
  base::Result<> publish(base::BytesView subject, base::BytesView payload,
                         base::BytesView reply = {}, base::BytesView headers = {});
  // Answers a message; no_responders if it did not ask for an answer.
  base::Result<> respond(const Message& message, base::BytesView payload,
                         base::BytesView headers = {});
  // Without a handler, messages are handed out by `next`. Errors: invalid_subject.
  base::Result<SubscriptionId> subscribe(base::BytesView subject, SubscribeOptions options = {},
                                         Handler handler = nullptr);
  // Ends it now, or after `messages_max` messages counted from its beginning.
  void unsubscribe(SubscriptionId subscription, uint64_t messages_max = 0);
  // Asks; the handler is told each reply, or why there is none (requests.h), during later
  // calls that read. Returns the request's number, for `forget`.
  base::Result<uint64_t> request_later(base::BytesView subject, base::BytesView payload,
                                       const RequestOptions& options, ReplyHandler handler);
  void forget(uint64_t request) { requests_.remove(request); }
  size_t requests_waiting() const { return requests_.size(); }

  // --- calls that read ---

  // Sends everything and waits until the server has seen it. Errors: what the server
  // objected to since the last flush; connection_lost if something may not have arrived.
  base::Result<> flush(base::Duration timeout = std::chrono::seconds(5));
  // The next message of a subscription without a handler; nothing if none came in time.
  base::Result<std::optional<Message>> next(base::Duration timeout);
  // Asks and waits. Errors: no_responders, timed_out, connection_lost, and publish's.
  base::Result<Message> request(base::BytesView subject, base::BytesView payload,
                                const RequestOptions& options = {});
  // Runs handlers until `done` (asked after each message), or the time is over: timed_out.
  base::Result<> run_until(const std::function<bool()>& done, base::Duration timeout);
  // Unsubscribes everything, lets handlers have what is on its way, flushes and closes.
  base::Result<> drain(base::Duration timeout = std::chrono::seconds(5));
  // Waits until it is connected again, if it is not. Errors: connection_lost when the time
  // is over, unauthorized, cancelled.
  base::Result<> await_connection(base::Duration timeout);
  // One turn without waiting: sends and reads what can be. Returns how many messages came.
  // Does not reconnect: connection_lost. For loops that watch `descriptor` themselves.
  base::Result<size_t> poll();

  // --- the rest ---

  void close();
  bool is_connected() const { return connection_ != nullptr; }
  // -1 when not connected. Watch for reading, and for writing while `wants_write`.
  int descriptor() const { return connection_ ? connection_->descriptor() : -1; }
  bool wants_write() const { return unsent() != 0; }
  // Bytes written and not yet taken by the socket.
  size_t unsent() const { return connection_ ? connection_->unsent() : 0; }
  // True when a handler was called for the last message that has arrived so far: a moment to
  // pass on what handlers have gathered.
  bool input_drained() const { return !connection_ || !connection_->may_have_frame(); }
  // Another descriptor that ends waits from now on; {} for none, to put things in order after
  // a signal.
  void set_stop(StopDescriptor stop) { options_.stop = stop; }
  const ServerInfo& server() const { return info_; }
  const Address& address() const { return servers_[server_index_]; }
  // A subject that nobody else uses.
  std::string new_inbox();
  const base::Clock& clock() const { return clock_; }

 private:
  struct Subscription {
    std::string subject;
    std::string group;
    uint64_t received = 0;
    uint64_t messages_max = 0;
    Handler handler;
  };
  class Reading;

  Client(Options options, const base::Clock& clock);

  // client_connecting.cc
  base::Result<> open(const Address& address, base::Time deadline);
  base::Result<> shake_hands(const Address& address, base::Time deadline);
  base::Result<> try_all(base::Time deadline);
  base::Result<> ensure_connected(base::Time deadline);
  void learn_servers();
  base::Error lose(base::Error why);
  void tell(Event event, std::string_view words) const;
  void write_subscription(uint64_t sid, Subscription& subscription);

  // client_reading.cc
  base::Result<> check_may_read() const;
  template <class Stop>
  base::Result<bool> dispatch(Stop stop);
  base::Result<bool> receive_until(base::Time deadline);
  template <class Stop>
  base::Result<> read_until(base::Time deadline, Stop stop);
  base::Result<> keep_alive(base::Time now);
  // True if the frame is a message for `next`, which is left in `pulled_`.
  bool handle(const Frame& frame);
  void handle_message(const Frame& frame, Subscription& subscription, uint64_t sid);
  void handle_error(base::BytesView text);
  base::Error absorb_last_words(base::Error why);

  base::Result<> send_if_full();
  base::Result<> check_connected();

  const base::Clock& clock_;
  Options options_;
  base::Random random_;
  std::vector<Address> servers_;
  size_t server_index_ = 0;
  std::unique_ptr<Connection> connection_;
  ServerInfo info_;

  uint64_t last_sid_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<Subscription>> subscriptions_;
  uint64_t recent_sid_ = 0;  // most messages are for the subscription of the one before
  Subscription* recent_ = nullptr;
  std::vector<std::unique_ptr<Subscription>> ended_;  // whose handlers may still be running

  std::string inbox_;  // "_INBOX.<random>"
  uint64_t inboxes_made_ = 0;
  uint64_t replies_sid_ = 0;
  Requests requests_;

  std::deque<OwnedMessage> backlog_;
  size_t backlog_bytes_ = 0;
  std::optional<OwnedMessage> handed_out_;  // what `next` took from the backlog
  std::optional<Message> pulled_;

  uint64_t pings_sent_ = 0;
  uint64_t pongs_received_ = 0;
  base::Time next_ping_;
  unsigned silences_ = 0;

  std::optional<base::Error> server_error_;  // since the last flush
  bool unflushed_ = false;                   // something was published since the last flush
  bool lost_unflushed_ = false;
  bool closed_ = false;
  bool reading_ = false;
};

}  // namespace tram::client
