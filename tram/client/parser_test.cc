#include "tram/client/parser.h"

#include <doctest/doctest.h>
#include <string>

using tram::base::Bytes;
using tram::base::BytesView;
using tram::client::Frame;
using tram::client::FrameKind;
using tram::client::parse_frame;
using tram::client::Parsed;
using tram::client::ParserLimits;

namespace {

// One frame as a line of text: what it is, how much it took, what it holds.
std::string parsed(BytesView input, ParserLimits limits = {}) {
  Frame frame;
  Parsed result = parse_frame(input, limits, frame);
  if (result.outcome == Parsed::Outcome::malformed) return "malformed";
  std::string text = std::to_string(result.bytes);
  if (result.outcome == Parsed::Outcome::more) return "more " + text;
  auto word = [](BytesView part) { return "<" + Bytes(part) + ">"; };
  switch (frame.kind) {
    case FrameKind::message:
      return text + " message " + word(frame.subject) + std::to_string(frame.sid) +
             word(frame.reply) + word(frame.headers) + word(frame.payload);
    case FrameKind::info:
      return text + " info " + word(frame.text);
    case FrameKind::error:
      return text + " error " + word(frame.text);
    case FrameKind::ping:
      return text + " ping";
    case FrameKind::pong:
      return text + " pong";
    case FrameKind::ok:
      return text + " ok";
  }
  return "?";
}

}  // namespace

TEST_CASE("every kind of frame is read whole, and nothing behind it is touched") {
  CHECK(parsed("MSG orders.eu 7 5\r\nhello\r\nPING\r\n") == "26 message <orders.eu>7<><><hello>");
  CHECK(parsed("MSG a 1 _INBOX.x.2 0\r\n\r\n") == "24 message <a>1<_INBOX.x.2><><>");
  CHECK(parsed("HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n") ==
        "32 message <a>1<><NATS/1.0\r\n\r\n><hi>");
  CHECK(parsed("HMSG a 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n") ==
        "32 message <a>1<r><NATS/1.0\r\n\r\n><>");
  CHECK(parsed("PING\r\n") == "6 ping");
  CHECK(parsed("PONG\r\n") == "6 pong");
  CHECK(parsed("+OK\r\n") == "5 ok");
  CHECK(parsed("-ERR 'Stale Connection'\r\n") == "25 error <Stale Connection>");
  CHECK(parsed("INFO {\"a\":1}\r\n") == "14 info <{\"a\":1}>");
}

TEST_CASE("letters' case and the kind of blanks do not matter") {
  CHECK(parsed("msg  a\t1  2 \r\nhi\r\n") == "18 message <a>1<><><hi>");
  CHECK(parsed("ping \r\n") == "7 ping");
}

TEST_CASE("a payload may hold anything, line breaks and frames too") {
  CHECK(parsed("MSG a 1 8\r\nPING\r\n\r\n\r\n") == "21 message <a>1<><><PING\r\n\r\n>");
  Bytes zero = "MSG a 1 3\r\n";
  zero.append("\0\r\n", 3).append("\r\n");
  CHECK(parsed(zero) == "16 message <a>1<><>" + Bytes("<\0\r\n>", 5));
}

TEST_CASE("a frame in pieces asks for what it needs, whatever the cut") {
  Bytes whole = "HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n";
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    Frame frame;
    Parsed result = parse_frame(BytesView(whole).substr(0, cut), {}, frame);
    CHECK(result.outcome == Parsed::Outcome::more);
    CHECK(result.bytes > cut);
    CHECK(result.bytes <= whole.size());
  }
  CHECK(parsed("MSG a 1 5\r\nhe") == "more 18");
}

TEST_CASE("what is not the protocol is malformed at once") {
  for (BytesView bad : {"HELLO\r\n", "\r\n", "\n", "MSG\r\n", "MSG a\r\n", "MSG a 1\r\n",
                        "MSG a x 1\r\n\r\n", "MSG a 1 -1\r\n", "MSG a 1 r x 5\r\n",
                        "MSG a 1 99999999999999999999\r\n", "HMSG a 1 5 4\r\n", "HMSG a 1 4\r\n",
                        "MSG a 1 2\r\nhiXX", "PING\n", "HTTP/1.1 400 Bad Request\r\n"}) {
    CAPTURE(bad);
    CHECK(parsed(bad) == "malformed");
  }
}

TEST_CASE("limits hold before anything is kept for what was announced") {
  ParserLimits limits{.line_bytes_max = 16, .message_bytes_max = 10};
  CHECK(parsed("MSG a 1 11\r\n", limits) == "malformed");
  CHECK(parsed("MSG a 1 10\r\n", limits) == "more 24");
  CHECK(parsed(Bytes(17, 'x'), limits) == "malformed");
  CHECK(parsed(Bytes(16, 'x'), limits) == "more 17");
}
