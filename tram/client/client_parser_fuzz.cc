// Any bytes: the parser answers without reading past them, what it takes is whole, and
// cutting the input anywhere changes nothing but the moment of the answer.
#include <cstdint>
#include <string>
#include <vector>

#include "tram/base/assert.h"
#include "tram/client/headers.h"
#include "tram/client/parser.h"

using namespace tram::client;
using tram::base::BytesView;

namespace {

bool inside(BytesView part, BytesView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

std::string shown(const Frame& frame) {
  std::string text = std::to_string(static_cast<int>(frame.kind)) + ' ' + std::to_string(frame.sid);
  for (BytesView part : {frame.subject, frame.reply, frame.headers, frame.payload, frame.text}) {
    text.append("|").append(part);
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ParserLimits limits{.line_bytes_max = 512, .message_bytes_max = 2048};
  BytesView input(reinterpret_cast<const char*>(data), size);
  size_t at = 0;
  for (;;) {
    BytesView rest = input.substr(at);
    Frame frame;
    Parsed parsed = parse_frame(rest, limits, frame);
    if (parsed.outcome == Parsed::Outcome::malformed) break;
    if (parsed.outcome == Parsed::Outcome::more) {
      TRAM_ASSERT(parsed.bytes > rest.size());
      TRAM_ASSERT(parsed.bytes <= 512 + 2048 + 4, parsed.bytes);
      break;
    }
    TRAM_ASSERT(parsed.bytes > 0 && parsed.bytes <= rest.size());
    BytesView taken = rest.substr(0, parsed.bytes);
    TRAM_ASSERT(inside(frame.subject, taken) && inside(frame.reply, taken));
    TRAM_ASSERT(inside(frame.headers, taken) && inside(frame.payload, taken));
    TRAM_ASSERT(inside(frame.text, taken));

    // One byte less is never enough; exactly these bytes, alone, give the same frame.
    std::vector<char> alone(taken.begin(), taken.end());
    Frame again;
    Parsed shorter = parse_frame({alone.data(), alone.size() - 1}, limits, again);
    TRAM_ASSERT(shorter.outcome == Parsed::Outcome::more);
    Parsed same = parse_frame({alone.data(), alone.size()}, limits, again);
    TRAM_ASSERT(same.outcome == Parsed::Outcome::frame && same.bytes == parsed.bytes);
    TRAM_ASSERT(shown(frame) == shown(again));

    HeadersView headers(frame.headers);
    size_t lines = 0;
    headers.for_each([&](BytesView name, BytesView value) {
      TRAM_ASSERT(inside(name, frame.headers) && inside(value, frame.headers));
      ++lines;
    });
    TRAM_ASSERT(lines <= frame.headers.size());
    TRAM_ASSERT(headers.status() >= 0 && headers.status() <= 999);
    at += parsed.bytes;
  }
  return 0;
}
