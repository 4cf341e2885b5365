// Any bytes: the line parser stays inside them, and says the same about a line whether its bytes
// come at once or one by one.
#include <cstdint>

#include "tram/base/assert.h"
#include "tram/protocols/nats/parser.h"

using namespace tram::protocols::nats;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  BytesView bytes(reinterpret_cast<const char*>(data), size);
  Line line;
  LineStatus status = parse_line(bytes, 256, line);
  if (status == LineStatus::whole) {
    TRAM_ASSERT(line.size <= size && line.size > 0, line.size);
    Words words = split_words(line.arguments);
    for (size_t i = 0; i < words.count && i < words.word.size(); ++i) {
      TRAM_ASSERT(!words.word[i].empty());
      (void)parse_size(words.word[i]);
    }
    Line early;
    for (size_t part = 1; part < line.size; ++part)
      TRAM_ASSERT(parse_line(bytes.substr(0, part), 256, early) == LineStatus::incomplete, part);
  }
  return 0;
}
