// However a client's bytes are cut, they say the same.
#include "tram/base/assert.h"
#include "tram/protocols/http/websocket_frames.h"
#include "tram/protocols/http/websocket_request.h"

namespace {

using namespace tram::protocols::http;

std::string told(std::string_view bytes, size_t step) {
  FrameReader reader(300);
  std::string words;
  size_t at = 0;
  for (size_t seen = std::min(step, bytes.size());; seen = std::min(seen + step, bytes.size())) {
    while (true) {
      FrameReader::Event event = reader.read(bytes.substr(at, seen - at));
      if (event.kind == FrameReader::Kind::unfinished) break;
      TRAM_ASSERT(event.consumed <= seen - at);
      at += event.consumed;
      words += std::to_string(static_cast<int>(event.kind)) + ":" + std::to_string(event.code);
      words += std::string(event.payload) + ";";
      if (event.kind == FrameReader::Kind::text) {
        WebSocketRequest request;
        (void)read_websocket_request(event.payload, 100, request);
      }
      if (event.kind == FrameReader::Kind::broken || event.kind == FrameReader::Kind::close)
        return words;
    }
    if (seen == bytes.size()) return words;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string whole = told(bytes, size + 1);
  TRAM_ASSERT(told(bytes, 1) == whole, whole);
  TRAM_ASSERT(told(bytes, 5) == whole, whole);
  return 0;
}
