// A body of many messages: one JSON object a line (application/x-ndjson).
#pragma once

#include <string>
#include <vector>

#include "tram/protocols/api/message_json.h"
#include "tram/protocols/http/options.h"

namespace tram::protocols::http {

using base::BytesView;

// One line, read. Movable: its views lie in memory that moves along.
struct MessageLine {
  api::JsonRequest request;
  api::MessageMembers message;
  std::optional<BytesView> subject;  // Where the line may name one.
  std::optional<BytesView> reply_to;
};

// Reads one object. With `addressed`, it may have subject and reply_to, and needs a subject.
// Errors: as JsonRequest, MessageMembers; invalid_subject, wildcard_in_publish.
base::Result<MessageLine> read_message_object(BytesView json, bool addressed,
                                              const HttpOptions& options);

// Reads all lines, or none: the first mistake is the answer, with its line's number. Empty lines
// do not count.
base::Result<std::vector<MessageLine>> read_message_lines(BytesView body, bool addressed,
                                                          const HttpOptions& options);

// Errors: invalid_subject; wildcard_in_publish, for what could be subscribed to only.
base::Result<> check_subject(BytesView subject);

bool is_json_lines(BytesView content_type);
// May a body of this type be read as JSON? One that is not said to be anything may, and curl says
// application/x-www-form-urlencoded of everything.
bool takes_json(BytesView content_type);

}  // namespace tram::protocols::http
