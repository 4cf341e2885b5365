#include "tram/client/histogram.h"

#include <doctest/doctest.h>

#include "tram/base/random.h"

using tram::client::Histogram;

TEST_CASE("every value falls into the bucket that ends at or after it, within 1.6 %") {
  tram::base::Random random(7);
  for (int i = 0; i < 100'000; ++i) {
    uint64_t value = random.next() >> (13 + random.below(51));
    uint64_t end = Histogram::end_of(Histogram::bucket_of(value));
    REQUIRE(end >= value);
    REQUIRE(static_cast<double>(end - value) <= static_cast<double>(value) / 64.0 + 0.5);
    if (value != 0) REQUIRE(Histogram::bucket_of(value) >= Histogram::bucket_of(value - 1));
  }
}

TEST_CASE("percentiles are what a sorted list would say") {
  Histogram histogram;
  CHECK(histogram.percentile(0.5) == 0);
  for (uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  CHECK(histogram.percentile(0.5) == 50);
  CHECK(histogram.percentile(0.99) == 99);
  CHECK(histogram.percentile(1) == 100);
  CHECK(histogram.percentile(0) == 1);
  CHECK(histogram.max() == 100);
}

TEST_CASE("histograms add up, and values beyond any bucket are kept as the largest") {
  Histogram a, b;
  a.record(10);
  b.record(UINT64_MAX);
  a.add(b);
  CHECK(a.count() == 2);
  CHECK(a.percentile(0.5) == 10);
  CHECK(a.max() == UINT64_MAX);
}
