// The framing of RFC 6455: bytes to messages and back, with no connection in sight.
//
// Why our own: docs/decisions/0021.
#pragma once

#include <cstdint>
#include <string>

#include "tram/base/bytes.h"

namespace tram::protocols::http {

using base::BytesView;

enum class Opcode : uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

// Why a WebSocket is closed.
struct CloseCode {
  static constexpr uint16_t normal = 1000;
  static constexpr uint16_t going_away = 1001;
  static constexpr uint16_t protocol_error = 1002;
  static constexpr uint16_t not_text = 1003;
  static constexpr uint16_t invalid_text = 1007;
  static constexpr uint16_t too_large = 1009;
};

// Appends a whole message in one frame, as a server sends it: unmasked.
void append_frame(std::string& to, Opcode opcode, BytesView payload);
void append_close_frame(std::string& to, uint16_t code);

// Puts a client's frames together.
class FrameReader {
 public:
  explicit FrameReader(uint64_t message_size_max) : size_max_(message_size_max) {}

  enum class Kind {
    unfinished,  // `needed` bytes make a whole frame.
    part,        // A piece of a message that has more: read on.
    text,        // A whole message: `payload`.
    ping,        // To be answered with a pong of the same payload.
    pong,
    close,   // `code`, to be answered with the same.
    broken,  // `code` says why. Nothing after this can be read.
  };
  struct Event {
    Kind kind = Kind::unfinished;
    size_t consumed = 0;
    size_t needed = 0;
    uint16_t code = 0;
    BytesView payload;  // Valid until the next call.
  };
  // Reads the frame at the front of `bytes`.
  Event read(BytesView bytes);

 private:
  Event take(Opcode opcode, bool final, BytesView payload, size_t size);
  Event take_close(BytesView payload, size_t size);

  uint64_t size_max_;
  std::string message_;  // The pieces so far.
  std::string payload_;  // The latest frame's, unmasked.
  bool in_message_ = false;
};

// The answer to Sec-WebSocket-Key.
std::string websocket_accept(BytesView key);

}  // namespace tram::protocols::http
