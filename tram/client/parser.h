// What a NATS server says, cut into frames.
//
//   INFO {json}\r\n   MSG subject sid [reply] size\r\nbytes\r\n   HMSG subject sid [reply]
//   header-size size\r\n... PING\r\n   PONG\r\n   +OK\r\n   -ERR 'text'\r\n
//
// The parser keeps no state and copies nothing: it looks at the bytes received so far and
// either finds one whole frame at their start, or says how many bytes are needed at least.
// It is total: any bytes give one of three answers, and it never reads past the input.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tram/base/bytes.h"

namespace tram::client {

enum class FrameKind { message, info, ping, pong, ok, error };

// Views into the bytes that were parsed. Only a message has a subject, sid, reply, headers
// and payload; only info and error have text.
struct Frame {
  FrameKind kind = FrameKind::ok;
  uint64_t sid = 0;
  base::BytesView subject;
  base::BytesView reply;
  base::BytesView headers;  // the whole block, "NATS/1.0" and the blank line included
  base::BytesView payload;
  base::BytesView text;  // INFO's JSON, or what -ERR says without its quotes
};

struct ParserLimits {
  size_t line_bytes_max = 256 * 1024;           // a control line or INFO; longer is malformed
  size_t message_bytes_max = 64 * 1024 * 1024;  // headers and payload; more is malformed
};

struct Parsed {
  enum class Outcome { frame, more, malformed };
  Outcome outcome;
  // frame: how many bytes it took. more: how many bytes, from the start of the input, will
  // be needed at least (always more than the input has). malformed: 0.
  size_t bytes;
};

Parsed parse_frame(base::BytesView input, const ParserLimits& limits, Frame& frame);

}  // namespace tram::client
