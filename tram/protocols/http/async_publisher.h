// /api/publish/async: says ok once the work is accepted, and does it afterwards.
//
// A message goes through the pool of workers, where its subject is checked, and back to this
// loop's engine, since engines belong to loops. There is room for `async_in_flight_max` messages
// and for what the pool lets wait; beyond that a message is refused, never kept waiting. What
// could not be placed is counted by reason, and logged at most once per interval.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "tram/base/counter.h"
#include "tram/broker/engine.h"
#include "tram/net/loop.h"
#include "tram/protocols/http/shared.h"

namespace tram::protocols::http {

struct AsyncCounters {
  base::Counter accepted;
  base::Counter refused;  // No room: told to the client as 429.
  base::Counter published;
  base::Counter invalid_subject;  // Accepted, but could not be placed, and why.
  base::Counter no_subscriber;
  base::Counter overflow;
  base::Counter failed;  // Any other reason.
};

class AsyncPublisher final : public broker::Caller {
 public:
  AsyncPublisher(net::Loop& loop, broker::Engine& engine, HttpShared& shared, size_t in_flight_max);
  ~AsyncPublisher();

  // False if there is no room: the message was not accepted.
  bool publish(std::string subject, std::string data);

  const AsyncCounters& counters() const { return counters_; }
  void on_reply(broker::Ticket, broker::Reply& reply) override;

 private:
  void place(const std::string& subject, const std::string& data, bool valid);
  void lost(base::Counter& reason, std::string_view why);

  net::Loop& loop_;
  broker::Engine& engine_;
  HttpShared& shared_;
  const size_t in_flight_max_;
  size_t in_flight_ = 0;
  broker::CallerId caller_;
  AsyncCounters counters_;
  base::Time log_after_;
  uint64_t lost_since_ = 0;
  // Tasks posted to the loop look here whether this is still alive.
  std::shared_ptr<AsyncPublisher*> self_;
};

}  // namespace tram::protocols::http
