#include "tram/net/peer/frame.h"

#include "tram/base/assert.h"

namespace tram::net {

namespace {

void write_big_endian(char* to, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i)
    to[i] = static_cast<char>((value >> (8 * (width - 1 - i))) & 0xFF);
}

uint64_t read_big_endian(BytesView bytes) {
  uint64_t value = 0;
  for (char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// A message whose length is in the `width` bytes after the first one.
Frame sized(BytesView bytes, size_t width, size_t message_max) {
  if (bytes.size() < 1 + width) return {};
  size_t size = read_big_endian(bytes.substr(1, width));
  return {.kind = size > message_max ? Frame::Kind::too_large : Frame::Kind::message,
          .header = 1 + width,
          .size = size};
}

}  // namespace

size_t write_frame_header(char* to, size_t size) {
  TRAM_ASSERT(size <= frame_payload_max, size);
  if (size < 32) {
    to[0] = static_cast<char>(0xA0 | size);
    return 1;
  }
  size_t width = size <= 0xFFFF ? 2 : 4;
  to[0] = static_cast<char>(width == 2 ? 0xDA : 0xDB);
  write_big_endian(to + 1, size, width);
  return 1 + width;
}

void write_count(char* to, uint64_t count) {
  to[0] = static_cast<char>(0xCF);
  write_big_endian(to + 1, count, 8);
}

Frame read_frame(BytesView bytes, size_t message_max) {
  if (bytes.empty()) return {};
  auto first = static_cast<unsigned char>(bytes[0]);
  if (first >= 0xA0 && first <= 0xBF) {
    size_t size = first & 0x1FU;
    return {.kind = size > message_max ? Frame::Kind::too_large : Frame::Kind::message,
            .header = 1,
            .size = size};
  }
  switch (first) {
    case 0xC0:
      return {.kind = Frame::Kind::message, .header = 1};
    case 0xC4:
    case 0xD9:
      return sized(bytes, 1, message_max);
    case 0xC5:
    case 0xDA:
      return sized(bytes, 2, message_max);
    case 0xC6:
    case 0xDB:
      return sized(bytes, 4, message_max);
    case 0xCF:
      if (bytes.size() < count_size) return {};
      return {.kind = Frame::Kind::count,
              .header = count_size,
              .count = read_big_endian(bytes.substr(1, count_size - 1))};
    case 0xD6: {
      BytesView seen = bytes.substr(0, ask_for_counts.size());
      if (!ask_for_counts.starts_with(seen)) return {.kind = Frame::Kind::garbage};
      if (seen.size() < ask_for_counts.size()) return {};
      return {.kind = Frame::Kind::asks, .header = ask_for_counts.size()};
    }
    default:
      return {.kind = Frame::Kind::garbage};
  }
}

}  // namespace tram::net
