// What a client says over a WebSocket: one JSON object.
#pragma once

#include <cstdint>
#include <optional>

#include "tram/protocols/api/json_request.h"
#include "tram/protocols/api/message_json.h"

namespace tram::protocols::http {

using base::BytesView;

struct WebSocketRequest {
  enum class Verb { publish, subscribe, unsubscribe };

  std::optional<uint64_t> id;  // Read as early as it can be, so that a refusal may carry it.
  Verb verb = Verb::publish;
  BytesView subject;
  BytesView group;
  BytesView reply_to;
  api::MessageMembers message;
  api::JsonRequest json;  // Holds what the views look at.
};

// {"id":1,"publish":{...}}, or subscribe, or unsubscribe. The subject of a publish is valid then;
// a pattern is not checked.
// Errors: invalid_json; invalid_argument; invalid_header; invalid_subject; wildcard_in_publish;
// message_too_large.
base::Result<> read_websocket_request(BytesView text, uint64_t payload_size_max,
                                      WebSocketRequest& to);

}  // namespace tram::protocols::http
