// A door: one protocol, on one port. It turns bytes into commands and replies into bytes, and
// makes a session for each connection.
//
// Each event loop has doors of its own, so nothing in a door is shared between threads, except
// its counters, which anybody may read.
#pragma once

#include <memory>
#include <string_view>

#include "tram/base/counter.h"
#include "tram/base/log_line.h"
#include "tram/broker/engine.h"
#include "tram/net/connection.h"

namespace tram::protocols {

// What every door counts, for operators.
struct DoorCounters {
  base::Counter connections;        // Open now.
  base::Counter connections_total;  // Ever.
  base::Counter messages_in;        // Published or put by clients.
  base::Counter bytes_in;           // Their payloads.
  base::Counter messages_out;       // Delivered to clients.
  base::Counter bytes_out;
  base::Counter errors;          // Refusals told to clients.
  base::Counter slow_consumers;  // Connections closed because they did not read.
  base::Counter dropped;         // Messages not delivered to a slow subscriber.
};

class Door {
 public:
  virtual ~Door() = default;
  virtual std::string_view name() const = 0;
  virtual std::unique_ptr<net::Session> open(net::Connection& connection) = 0;
  // What a connection beyond the limit is told before it is closed; empty: nothing.
  virtual std::string_view refusal() const { return {}; }
  const DoorCounters& counters() const { return counters_; }

 protected:
  DoorCounters counters_;
};

}  // namespace tram::protocols
