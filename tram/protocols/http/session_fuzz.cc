// Any bytes, cut anywhere, with time passing: the session must neither fall over nor lose its
// place.
#include <algorithm>
#include <cstdint>

#include "tram/protocols/testing/http_world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace std::chrono_literals;
  using tram::protocols::testing::HttpWorld;
  tram::protocols::http::HttpOptions options;
  options.message_bytes_max = 4096;
  options.batch_bytes_max = 8192;
  options.answer_bytes_max = 4096;
  options.allowed_origin = size % 2 == 0 ? "" : "http://a";
  HttpWorld world(options);
  auto waits = world.connect();
  waits.say("POST /v1/queues/q/get?wait_ms=1000 HTTP/1.1\r\nHost: h\r\n\r\n");
  auto client = world.connect({.pending_max = 1 << 16});
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // The first byte says how the rest is cut, and whether time passes between.
  size_t step = bytes.empty() ? 1 : static_cast<unsigned char>(bytes.front()) + size_t{1};
  for (size_t at = std::min<size_t>(1, size); at < size; at += step) {
    client.say(bytes.substr(at, step));
    if (step % 7 == 0) world.advance(5s);
  }
  client.finish_sending();
  world.settle();
  // Whatever was said, others are served.
  std::string answer = world.ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  TRAM_ASSERT(answer.starts_with("HTTP/1.1 200 "), answer);
  return 0;
}
