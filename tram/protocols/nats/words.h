// What the server says, in the exact words that clients match. Clients lower-case an -ERR and
// take off its quotes; nats.go closes for good on a text it does not know, so none is invented.
#pragma once

#include <string>

#include "tram/base/bytes.h"
#include "tram/protocols/nats/options.h"

namespace tram::protocols::nats {

using base::BytesView;

namespace words {
constexpr BytesView ok = "+OK\r\n";
constexpr BytesView ping = "PING\r\n";
constexpr BytesView pong = "PONG\r\n";
constexpr BytesView unknown_operation = "-ERR 'Unknown Protocol Operation'\r\n";
constexpr BytesView control_line_exceeded = "-ERR 'maximum control line exceeded'\r\n";
constexpr BytesView payload_violation = "-ERR 'Maximum Payload Violation'\r\n";
constexpr BytesView invalid_subject = "-ERR 'Invalid Subject'\r\n";
constexpr BytesView invalid_publish_subject = "-ERR 'Invalid Publish Subject'\r\n";
constexpr BytesView subscriptions_exceeded = "-ERR 'maximum subscriptions exceeded'\r\n";
constexpr BytesView connections_exceeded = "-ERR 'maximum connections exceeded'\r\n";
constexpr BytesView authorization_violation = "-ERR 'Authorization Violation'\r\n";
constexpr BytesView authentication_timeout = "-ERR 'Authentication Timeout'\r\n";
constexpr BytesView stale_connection = "-ERR 'Stale Connection'\r\n";
constexpr BytesView headers_needed = "-ERR 'no responders requires headers support'\r\n";
constexpr BytesView no_responders_status = "NATS/1.0 503\r\n\r\n";
}  // namespace words

// The INFO line for one client. `last_words`: the server is about to close, go elsewhere.
std::string info_line(const NatsOptions& options, uint64_t client_id, BytesView peer_address,
                      bool last_words);

}  // namespace tram::protocols::nats
