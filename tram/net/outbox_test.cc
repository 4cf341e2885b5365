#include "tram/net/outbox.h"

#include <doctest/doctest.h>
#include <string>

#include "tram/base/random.h"

using tram::base::Random;
using tram::base::SharedBytes;
using tram::net::ChunkPool;
using tram::net::Outbox;

TEST_CASE("what was appended, by copy or by reference, is what is gathered, in order") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    ChunkPool pool;
    Outbox outbox(pool);
    std::string model;
    for (int step = 0; step < 200; ++step) {
      size_t size = random.below(random.one_in(10) ? 100'000 : 200);
      std::string bytes(size, static_cast<char>('a' + random.below(26)));
      if (random.one_in(3)) {
        // Written as a whole or in part.
        size_t count = random.below(model.size() + 1);
        outbox.consume(count);
        model.erase(0, count);
      } else if (random.one_in(3)) {
        SharedBytes shared = SharedBytes::copy_of(bytes);
        outbox.append_shared(shared, shared.view().substr(size / 2));
        model += bytes.substr(size / 2);
      } else {
        outbox.append(bytes);
        model += bytes;
      }
      REQUIRE(outbox.size() == model.size());
      Outbox::Span spans[512];
      std::string gathered;
      size_t count = outbox.gather(spans, 512);
      for (size_t i = 0; i < count; ++i) gathered.append(spans[i].data, spans[i].size);
      REQUIRE(gathered == model.substr(0, gathered.size()));
      REQUIRE((count == 512 || gathered.size() == model.size()));
    }
    REQUIRE(pool.waiting() == std::min(model.size(), Outbox::counted_max));
    outbox.clear();
    REQUIRE(pool.waiting() == 0);
  }
}

TEST_CASE("one that has stopped reading counts for no more than its share") {
  ChunkPool pool;
  Outbox stuck(pool), other(pool);
  stuck.append(std::string(5 * Outbox::counted_max, 'x'));
  other.append("hello");
  CHECK(pool.waiting() == Outbox::counted_max + 5);
  stuck.consume(4 * Outbox::counted_max + 1);
  CHECK(pool.waiting() == Outbox::counted_max + 4);
}
