// Any bytes, in any pieces: the same frames are found as in one piece, and none reaches outside.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tram/base/assert.h"
#include "tram/net/peer/frame.h"

using namespace tram::net;

namespace {

constexpr size_t message_max = 3000;

// Takes what is whole from the front of `kept`; false once nothing more can follow.
bool take_frames(std::string& kept, std::vector<std::string>& found) {
  size_t at = 0;
  bool goes_on = true;
  while (goes_on && at < kept.size()) {
    BytesView rest = BytesView(kept).substr(at);
    Frame frame = read_frame(rest, message_max);
    goes_on = frame.kind != Frame::Kind::garbage && frame.kind != Frame::Kind::too_large;
    if (!goes_on) {
      found.push_back(frame.kind == Frame::Kind::garbage ? "garbage" : "too large");
      break;
    }
    if (frame.kind == Frame::Kind::incomplete || frame.header + frame.size > rest.size()) break;
    TRAM_ASSERT(frame.size <= message_max, frame.size);
    TRAM_ASSERT(frame.kind == Frame::Kind::message || frame.size == 0);
    found.emplace_back(rest.substr(frame.header, frame.size));
    at += frame.header + frame.size;
  }
  kept.erase(0, at);
  return goes_on;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  size_t piece_size = data[0] + size_t{1};
  BytesView input(reinterpret_cast<const char*>(data) + 1, size - 1);

  std::vector<std::string> whole;
  std::string kept(input);
  take_frames(kept, whole);

  std::vector<std::string> torn;
  kept.clear();
  for (BytesView rest = input; !rest.empty();) {
    BytesView piece = rest.substr(0, piece_size);
    rest.remove_prefix(piece.size());
    kept += piece;
    if (!take_frames(kept, torn)) break;
  }
  TRAM_ASSERT(whole == torn, whole.size(), torn.size());

  // What we write is read again.
  for (const std::string& payload : whole) {
    char header[frame_header_max];
    size_t length = write_frame_header(header, payload.size());
    Frame frame = read_frame(BytesView(header, length), frame_payload_max);
    TRAM_ASSERT(frame.kind == Frame::Kind::message && frame.header == length);
    TRAM_ASSERT(frame.size == payload.size());
  }
  return 0;
}
