// Any bytes: the line parser stays inside them, and says the same about a line whether its bytes
// come at once or one by one; and the quick way to read a PUB agrees with the words that it has.
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
    PubArguments pub;
    if (parse_pub(line.arguments, false, pub)) {
      TRAM_ASSERT(words.count == 2 || words.count == 3, words.count);
      TRAM_ASSERT(pub.subject == words.word[0]);
      TRAM_ASSERT(pub.total_size == parse_size(words.word[words.count - 1]));
    } else if (words.count == 2) {
      TRAM_ASSERT(!parse_size(words.word[1]));
    }
    Line early;
    for (size_t part = 1; part < line.size; ++part)
      TRAM_ASSERT(parse_line(bytes.substr(0, part), 256, early) == LineStatus::incomplete, part);
  }
  return 0;
}
