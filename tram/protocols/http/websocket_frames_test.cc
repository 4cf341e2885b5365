#include "tram/protocols/http/websocket_frames.h"

#include <doctest/doctest.h>

using namespace tram::protocols::http;
using Kind = FrameReader::Kind;

namespace {

// As a client sends it.
std::string frame(uint8_t first, std::string_view payload) {
  std::string text{static_cast<char>(first)};
  if (payload.size() < 126) {
    text += static_cast<char>(0x80 | payload.size());
  } else {
    text += static_cast<char>(0x80 | 126);
    text += static_cast<char>(payload.size() >> 8);
    text += static_cast<char>(payload.size() & 0xFF);
  }
  std::string_view mask = "\x11\x22\x33\x44";
  text += mask;
  for (size_t i = 0; i < payload.size(); ++i) text += static_cast<char>(payload[i] ^ mask[i % 4]);
  return text;
}

// Everything that `bytes` says, as words.
std::string told(std::string_view bytes, uint64_t size_max = 1000) {
  FrameReader reader(size_max);
  std::string words;
  while (true) {
    FrameReader::Event event = reader.read(bytes);
    bytes.remove_prefix(event.consumed);
    switch (event.kind) {
      case Kind::unfinished:
        return words;
      case Kind::part:
        words += "part ";
        break;
      case Kind::text:
        words += "text:" + std::string(event.payload) + " ";
        break;
      case Kind::ping:
        words += "ping:" + std::string(event.payload) + " ";
        break;
      case Kind::pong:
        words += "pong ";
        break;
      case Kind::close:
        return words + "close:" + std::to_string(event.code);
      case Kind::broken:
        return words + "broken:" + std::to_string(event.code);
    }
  }
}

}  // namespace

TEST_CASE("messages come whole, however many frames they were cut into") {
  CHECK(told(frame(0x81, "hello")) == "text:hello ");
  CHECK(told(frame(0x81, "")) == "text: ");
  CHECK(told(frame(0x01, "a") + frame(0x89, "p") + frame(0x00, "b") + frame(0x80, "c") +
             frame(0x81, "d")) == "part ping:p part text:abc text:d ");
  CHECK(told(frame(0x01, "\xC3") + frame(0x80, "\xA9")) == "part text:é ");
  CHECK(told(frame(0x01, "") + frame(0x80, "")) == "part text: ");
  std::string large(900, 'x');
  CHECK(told(frame(0x81, large)) == "text:" + large + " ");
}

TEST_CASE("a frame that is not all there says how much it needs") {
  std::string whole = frame(0x81, std::string(300, 'x'));
  for (size_t size = 0; size < whole.size(); ++size) {
    FrameReader reader(1000);
    FrameReader::Event event = reader.read(std::string_view(whole).substr(0, size));
    CHECK(event.kind == Kind::unfinished);
    CHECK(event.needed > size);
    CHECK(event.needed <= whole.size());
    CHECK(event.consumed == 0);
  }
}

TEST_CASE("what the protocol forbids ends the conversation with its code") {
  CHECK(told("\x81\x05hello") == "broken:1002");   // Not masked.
  CHECK(told(frame(0xC1, "x")) == "broken:1002");  // Reserved bits.
  CHECK(told(frame(0x83, "x")) == "broken:1002");  // An unknown kind.
  CHECK(told(frame(0x80, "x")) == "broken:1002");  // A piece of nothing.
  CHECK(told(frame(0x01, "x") + frame(0x81, "y")) == "part broken:1002");
  CHECK(told(frame(0x09, "x")) == "broken:1002");                    // Half a ping.
  CHECK(told(frame(0x89, std::string(126, 'x'))) == "broken:1002");  // A long one.
  CHECK(told(frame(0x82, "x")) == "broken:1003");
  CHECK(told(frame(0x81, "\xFF")) == "broken:1007");
  CHECK(told(frame(0x81, std::string(11, 'x')), 10) == "broken:1009");
  CHECK(told(frame(0x01, std::string(6, 'x')) + frame(0x80, std::string(5, 'x')), 10) ==
        "part broken:1009");
  CHECK(told(std::string_view("\x81\xFE\0\x05mask", 8)) == "broken:1002");  // A length too long.
  CHECK(told(std::string_view("\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFmask", 14)) ==
        "broken:1009");
}

TEST_CASE("a close is answered with its code, if that is one") {
  CHECK(told(frame(0x88, "")) == "close:1000");
  CHECK(told(frame(0x88, "\x03\xE9gone")) == "close:1001");
  CHECK(told(frame(0x88, "\x0F\xA0")) == "close:4000");
  CHECK(told(frame(0x88, "x")) == "broken:1002");
  CHECK(told(frame(0x88, "\x03\xED")) == "broken:1002");
  CHECK(told(frame(0x88, std::string_view("\0\0", 2))) == "broken:1002");
  CHECK(told(frame(0x88, "\x13\x88")) == "broken:1002");
  CHECK(told(frame(0x88, "\x03\xE8\xFF")) == "broken:1007");
}

TEST_CASE("a server's frames carry their length in the shortest form, and no mask") {
  auto head = [](size_t size) {
    std::string to;
    append_frame(to, Opcode::text, std::string(size, 'x'));
    return to.substr(0, to.size() - size);
  };
  CHECK(head(125) == "\x81\x7D");
  CHECK(head(126) == std::string_view("\x81\x7E\0\x7E", 4));
  CHECK(head(65535) == "\x81\x7E\xFF\xFF");
  CHECK(head(65536) == std::string_view("\x81\x7F\0\0\0\0\0\x01\0\0", 10));
  std::string close;
  append_close_frame(close, CloseCode::going_away);
  CHECK(close == "\x88\x02\x03\xE9");
}

TEST_CASE("the handshake answers as in the RFC's example") {
  CHECK(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
