// One NATS client: its state, and what it does with each line.
//
// Its chapters are in files of their own: session.cc reads lines and minds the connection's
// life, publishing.cc and subscribing.cc do what they are called, delivery.cc writes messages,
// and queue_requests.h answers on $TRAM.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tram/broker/engine.h"
#include "tram/net/connection.h"
#include "tram/protocols/door.h"
#include "tram/protocols/nats/connect.h"
#include "tram/protocols/nats/options.h"
#include "tram/protocols/nats/parser.h"

namespace tram::protocols::nats {

class NatsDoor;
class QueueRequests;

class NatsSession final : public net::Session, public broker::Subscriber, public broker::Caller {
 public:
  NatsSession(NatsDoor& door, net::Connection& connection, uint64_t client_id);
  ~NatsSession() override;

  Progress on_bytes(BytesView bytes, const base::SharedBytes* owner) override;
  void on_stop() override;
  void on_closed(net::CloseReason reason) override;
  broker::Receipt on_message(uint64_t cookie, const broker::Publication& publication) override;
  void on_reply(broker::Ticket ticket, broker::Reply& reply) override;

  broker::CallerId caller() const { return caller_; }

 private:
  struct Subscription {
    std::string sid;
    broker::SubscriptionId id;
    uint64_t delivered = 0;
    uint64_t delivered_max = 0;  // 0: no limit.
  };
  // How a line was taken.
  enum class Taken {
    done,     // On to the next.
    more,     // Its payload is not all there; `needed_` says how much that is, line included.
    stopped,  // Done with, but read no further now: the connection pauses or ends.
  };

  // Lines (session.cc).
  Taken take(const Line& line, BytesView bytes, const base::SharedBytes* owner, size_t& size);
  Taken take_connect(BytesView arguments);
  Taken take_ping();
  Taken say_ok();
  // Says `last_words` (perhaps nothing) and closes.
  Taken refuse(BytesView last_words);
  // Says `word` once every loop knows of this client's subscriptions.
  Taken say_when_known(BytesView word);
  bool admitted() const { return admitted_; }

  // Publishing (publishing.cc).
  Taken take_pub(const Line& line, bool has_headers, BytesView bytes,
                 const base::SharedBytes* owner, size_t& size);
  // `valid`: its subject is one that can be published on.
  Taken publish(const broker::Publication& publication, bool valid);
  void say_no_responders(BytesView reply_to);

  // Subscribing (subscribing.cc).
  Taken take_sub(BytesView arguments);
  Taken take_unsub(BytesView arguments);
  void close_subscription(uint32_t slot);
  void free_slot(uint32_t slot);

  // Delivery (delivery.cc).
  void write_message(const Subscription& subscription, const broker::Publication& publication);

  // Keeping alive (session.cc).
  void on_alarm();

  friend class QueueRequests;

  NatsDoor& door_;
  net::Connection& connection_;
  broker::CallerId caller_;
  const uint64_t client_id_;
  ConnectOptions options_;
  bool admitted_;
  bool connected_ = false;  // There was a CONNECT.
  uint32_t pings_out_ = 0;
  base::Time heard_at_;
  net::Timer alarm_;  // First for CONNECT, if it must come; then for PING.
  size_t needed_ = 0;
  BytesView awaited_word_;  // Said when the table is known everywhere; then reading goes on.

  std::vector<Subscription> subscriptions_;  // By cookie.
  std::vector<uint32_t> free_slots_;
  boost::unordered_flat_map<std::string, uint32_t> slot_by_sid_;
  std::unique_ptr<QueueRequests> queue_requests_;  // Made when first needed.
};

}  // namespace tram::protocols::nats
