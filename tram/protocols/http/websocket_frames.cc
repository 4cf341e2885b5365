#include "tram/protocols/http/websocket_frames.h"

#include <boost/uuid/detail/sha1.hpp>

#include "tram/protocols/api/json_text.h"

namespace tram::protocols::http {

namespace {

constexpr size_t control_size_max = 125;
constexpr uint8_t final_bit = 0x80;
constexpr uint8_t mask_bit = 0x80;

uint64_t big_endian(BytesView bytes) {
  uint64_t value = 0;
  for (unsigned char byte : bytes) value = value << 8 | byte;
  return value;
}

void append_big_endian(std::string& to, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    to += static_cast<char>(value >> shift & 0xFF);
}

FrameReader::Event broken(uint16_t code) {
  FrameReader::Event event;
  event.kind = FrameReader::Kind::broken;
  event.code = code;
  return event;
}

// What may stand in a close frame: RFC 6455, section 7.4.
bool valid_close_code(uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

void append_frame(std::string& to, Opcode opcode, BytesView payload) {
  to += static_cast<char>(final_bit | static_cast<uint8_t>(opcode));
  if (payload.size() <= control_size_max) {
    to += static_cast<char>(payload.size());
  } else if (payload.size() <= UINT16_MAX) {
    to += static_cast<char>(126);
    append_big_endian(to, payload.size(), 2);
  } else {
    to += static_cast<char>(127);
    append_big_endian(to, payload.size(), 8);
  }
  to += payload;
}

void append_close_frame(std::string& to, uint16_t code) {
  std::string payload;
  append_big_endian(payload, code, 2);
  append_frame(to, Opcode::close, payload);
}

FrameReader::Event FrameReader::read(BytesView bytes) {
  auto unfinished = [](size_t needed) {
    Event event;
    event.needed = needed;
    return event;
  };
  if (bytes.size() < 2) return unfinished(2);
  auto first = static_cast<uint8_t>(bytes[0]);
  auto second = static_cast<uint8_t>(bytes[1]);
  // Reserved bits belong to extensions, and none was agreed on.
  if ((first & 0x70) != 0 || (second & mask_bit) == 0) return broken(CloseCode::protocol_error);
  size_t length_size = (second & 0x7F) == 126 ? 2 : (second & 0x7F) == 127 ? 8 : 0;
  size_t head_size = 2 + length_size + 4;
  uint64_t size = second & 0x7F;
  auto opcode = static_cast<Opcode>(first & 0x0F);
  bool control = (first & 0x08) != 0;
  bool final = (first & final_bit) != 0;
  if (control && (!final || size > control_size_max)) return broken(CloseCode::protocol_error);
  if (bytes.size() < head_size) return unfinished(head_size);
  if (length_size > 0) {
    size = big_endian(bytes.substr(2, length_size));
    bool shortest = length_size == 2 ? size > control_size_max : size > UINT16_MAX;
    if (!shortest) return broken(CloseCode::protocol_error);
  }
  if (size > size_max_ || message_.size() > size_max_ - size) return broken(CloseCode::too_large);
  if (bytes.size() < head_size + size) return unfinished(head_size + size);

  BytesView mask = bytes.substr(head_size - 4, 4);
  BytesView masked = bytes.substr(head_size, size);
  payload_.resize(size);
  for (size_t i = 0; i < size; ++i) payload_[i] = static_cast<char>(masked[i] ^ mask[i & 3]);
  return take(opcode, final, payload_, head_size + size);
}

FrameReader::Event FrameReader::take(Opcode opcode, bool final, BytesView payload, size_t size) {
  Event event;
  event.consumed = size;
  event.payload = payload;
  switch (opcode) {
    case Opcode::ping:
      event.kind = Kind::ping;
      return event;
    case Opcode::pong:
      event.kind = Kind::pong;
      return event;
    case Opcode::close:
      return take_close(payload, size);
    case Opcode::binary:
      return broken(CloseCode::not_text);
    case Opcode::text:
    case Opcode::continuation:
      break;
    default:
      return broken(CloseCode::protocol_error);
  }
  // Pieces follow a beginning, and a message ends before the next begins.
  if (in_message_ != (opcode == Opcode::continuation)) return broken(CloseCode::protocol_error);
  in_message_ = !final;
  if (!final || !message_.empty()) message_ += payload;
  if (!final) {
    event.kind = Kind::part;
    return event;
  }
  if (opcode == Opcode::continuation) {
    payload_ = std::move(message_);
    message_ = std::string();
    event.payload = payload_;
  }
  if (!api::is_utf8(event.payload)) return broken(CloseCode::invalid_text);
  event.kind = Kind::text;
  return event;
}

FrameReader::Event FrameReader::take_close(BytesView payload, size_t size) {
  Event event;
  event.kind = Kind::close;
  event.consumed = size;
  event.code = CloseCode::normal;
  if (payload.empty()) return event;
  if (payload.size() == 1) return broken(CloseCode::protocol_error);
  event.code = static_cast<uint16_t>(big_endian(payload.substr(0, 2)));
  if (!valid_close_code(event.code)) return broken(CloseCode::protocol_error);
  if (!api::is_utf8(payload.substr(2))) return broken(CloseCode::invalid_text);
  return event;
}

std::string websocket_accept(BytesView key) {
  boost::uuids::detail::sha1 hash;
  constexpr BytesView magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  hash.process_bytes(key.data(), key.size());
  hash.process_bytes(magic.data(), magic.size());
  unsigned int words[5];
  hash.get_digest(words);
  std::string digest;
  for (unsigned int word : words) append_big_endian(digest, word, 4);
  std::string accept;
  api::append_base64(accept, digest);
  return accept;
}

}  // namespace tram::protocols::http
