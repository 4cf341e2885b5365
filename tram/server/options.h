// Everything that an operator may set, with its value. What each means, its name and its default
// stand in option_table.cc, once; load_options.h fills this in.
#pragma once

#include <cstdint>
#include <string>

#include "tram/base/time.h"
#include "tram/server/option_value.h"

namespace tram::server {

struct Options {
  // Doors.
  std::string host;
  Port nats_port;
  Port http_port;
  Port metrics_port;
  Port beuss_port;
  std::string ports_file;

  // Access.
  std::string user;
  std::string password;
  std::string token;
  base::Duration auth_timeout;

  // Connections.
  uint64_t connections_max = 0;  // 0: as many as the operating system lets us open.
  uint64_t pending_max = 0;
  base::Duration write_stall_max;
  uint64_t max_message_bytes = 0;

  // NATS.
  std::string server_name;
  uint64_t max_control_line = 0;
  uint64_t max_subscriptions = 0;  // 0: no limit.
  base::Duration ping_interval;
  uint64_t pings_max = 0;

  // HTTP.
  uint64_t http_header_bytes_max = 0;
  base::Duration http_header_timeout;
  base::Duration http_body_timeout;
  base::Duration http_idle_timeout;
  base::Duration http_request_timeout;
  base::Duration http_heartbeat;
  uint64_t http_batch_bytes_max = 0;
  uint64_t http_batch_messages_max = 0;
  uint64_t http_answer_bytes_max = 0;
  uint64_t http_subscriptions_max = 0;
  uint64_t http_async_workers = 0;
  uint64_t http_async_queue_max = 0;
  uint64_t http_async_in_flight_max = 0;
  std::string http_allowed_origin;

  // beuss.
  uint64_t beuss_max_message_bytes = 0;
  base::Duration beuss_pause;

  // Queues and mailboxes.
  uint64_t queues_max = 0;
  uint64_t stored_bytes_max = 0;
  uint64_t waiting_takers_max = 0;
  base::Duration queue_idle_expiry;
  uint64_t mailboxes_max = 0;
  uint64_t mailbox_pending_max = 0;
  uint64_t mailbox_bytes_max = 0;
  base::Duration mailbox_idle_expiry;

  // The program.
  uint64_t threads = 0;  // 0: chosen from the number of processors.
  base::Duration drain_timeout;
  std::string log_level;
  std::string log_format;
  std::string config;
  bool check = false;
};

}  // namespace tram::server
