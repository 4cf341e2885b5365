// What a NATS door is told when it is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tram/base/time.h"
#include "tram/protocols/access.h"

namespace tram::protocols::nats {

struct NatsOptions {
  // Told to clients in INFO.
  std::string server_id;
  std::string server_name = "tram";
  std::string tram_version;
  std::string host;
  uint16_t port = 0;
  // Client ids, unique over the doors of all loops: this door's first, and the step to its next.
  uint64_t client_id_first = 1;
  uint64_t client_id_step = 1;

  Access access;
  // With `access` required: how long a client has for its CONNECT.
  base::Duration auth_timeout = std::chrono::seconds(2);

  // A longer payload: -ERR 'Maximum Payload Violation', and the connection closes.
  uint32_t payload_max = uint32_t{1} << 20;
  // A longer line: -ERR 'maximum control line exceeded', and the connection closes.
  uint32_t control_line_max = 4096;
  // Subscriptions of one client, 0: no limit. One more: -ERR 'maximum subscriptions exceeded'.
  uint32_t subscriptions_max = 0;
  // A silent client is sent PING at this interval; after `pings_max` of them without an answer,
  // -ERR 'Stale Connection', and the connection closes.
  base::Duration ping_interval = std::chrono::minutes(2);
  uint32_t pings_max = 2;
};

}  // namespace tram::protocols::nats
