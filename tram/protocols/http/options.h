// Every limit of the HTTP door: its default, and what happens when it is reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tram/base/time.h"

namespace tram::protocols::http {

using base::Duration;

struct HttpOptions {
  // A message's payload. At the limit: 413 message_too_large.
  uint64_t message_bytes_max = uint64_t{1} << 20;
  // A body of many messages, one JSON object a line. At the limit: 413 message_too_large.
  uint64_t batch_bytes_max = uint64_t{16} << 20;
  // Messages in one such body. Beyond it: 400 invalid_argument.
  uint32_t batch_messages_max = 10'000;
  // Payloads and headers in one answer to a take. What was taken beyond it goes back at once.
  uint64_t answer_bytes_max = uint64_t{32} << 20;

  // A request's line and headers. At the limit: 414 while it is still the line, else 431.
  size_t head_bytes_max = size_t{16} << 10;
  size_t header_count_max = 100;  // 431.

  // From a request's first byte to the end of its headers. Then: 408, and the connection closes.
  Duration head_time_max = std::chrono::seconds(10);
  // For a body, besides a second for each 32 KiB that it announces. Then: 408, closed.
  Duration body_time_max = std::chrono::seconds(30);
  // Between requests. Then the connection is closed.
  Duration idle_time_max = std::chrono::minutes(2);
  // How long POST /v1/request waits when it does not say. Then: 504.
  Duration request_time_default = std::chrono::seconds(5);
  // Between signs of life on a stream of messages.
  Duration heartbeat = std::chrono::seconds(15);

  // Messages accepted by /api/publish/async and not yet published, per event loop. Then: 429.
  size_t async_in_flight_max = 4096;
  // Subscriptions of one WebSocket, and patterns of one event stream. Then: limit_reached.
  size_t subscriptions_max = 1000;

  // "Access-Control-Allow-Origin" for pages of that site ("*": any). Empty: requests that a
  // browser says come from another site's page are refused with 403.
  std::string allowed_origin;
};

}  // namespace tram::protocols::http
