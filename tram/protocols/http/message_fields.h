// A message's headers as headers of HTTP: "Trace: 7" travels as "Tram-Header-Trace: 7".
#pragma once

#include <string>

#include "tram/base/bytes.h"
#include "tram/base/result.h"
#include "tram/protocols/http/request_head.h"

namespace tram::protocols::http {

// The message's header block (api/header_block.h) of a request; empty if it has none.
// Errors: invalid_header.
base::Result<std::string> message_headers_of(const RequestHead& head);

// Appends lines for an answer. What HTTP cannot carry (names that are not tokens, control
// characters, more than a few kilobytes in all) is left out, and "Tram-Headers-Omitted" says how
// many.
void append_message_fields(std::string& fields, BytesView headers);

// "Name: 17\r\n"
void append_field(std::string& fields, BytesView name, uint64_t value);
// Percent signs in place of what a header cannot hold, so that the line stays one line.
void append_field(std::string& fields, BytesView name, BytesView value);

}  // namespace tram::protocols::http
