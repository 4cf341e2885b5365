// Any bytes, cut anywhere: the session stays inside them, says the same wherever they are cut, and
// leaves nothing behind. The first byte seeds the cuts; the rest is what a client sends.
#include <cstdint>

#include "tram/protocols/testing/nats_world.h"

namespace {

std::string told(std::string_view bytes, uint32_t cuts) {
  tram::protocols::nats::NatsOptions options;
  options.payload_max = 4096;
  options.control_line_max = 512;
  options.subscriptions_max = 16;
  tram::protocols::testing::NatsWorld world(options);
  std::string heard;
  {
    tram::protocols::testing::NatsWorld::Client client(world);
    while (!bytes.empty() && !client.closed()) {
      size_t size = bytes.size();
      if (cuts > 0) {
        cuts = cuts * 1664525u + 1013904223u;
        size = std::min<size_t>(size, 1 + (cuts >> 24) % 40);
      }
      heard += client.say(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
  }
  TRAM_ASSERT(world.engine.subscriptions() == 0);
  TRAM_ASSERT(world.engine.callers() == 0);
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size > 4096) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string whole = told(bytes, 0);
  std::string cut = told(bytes, 1u + data[0]);
  TRAM_ASSERT(whole == cut, whole.size(), cut.size());
  return 0;
}
