#include "tram/base/metrics_text.h"

#include <doctest/doctest.h>

using namespace tram;
using namespace tram::base;

TEST_CASE("a family has its help, its type and its samples") {
  MetricsText text;
  text.family("tram_connections", MetricType::gauge, "Open connections.");
  text.sample({{"door", "nats"}}, uint64_t{7});
  text.sample({}, 0.5);
  CHECK(text.take() ==
        "# HELP tram_connections Open connections.\n"
        "# TYPE tram_connections gauge\n"
        "tram_connections{door=\"nats\"} 7\n"
        "tram_connections 0.5\n");
}

TEST_CASE("a label may hold whatever a queue's name may hold") {
  MetricsText text;
  text.family("q", MetricType::gauge, "Q.");
  text.sample({{"queue", "a\"b\\c\n\xff\xc3\xa4"}}, uint64_t{1});
  CHECK(text.take().ends_with("q{queue=\"a\\\"b\\\\c\\n\xEF\xBF\xBD\xc3\xa4\"} 1\n"));
}

TEST_CASE("a histogram's buckets add up to its count") {
  LatencyHistogram histogram;
  histogram.observe(std::chrono::microseconds(50));
  histogram.observe(std::chrono::milliseconds(2));
  histogram.observe(std::chrono::minutes(1));
  MetricsText text;
  text.family("d_seconds", MetricType::histogram, "D.");
  const LatencyHistogram* parts[] = {&histogram};
  text.histogram({{"route", "put"}}, parts);
  std::string page = text.take();
  CHECK(page.find("d_seconds_bucket{route=\"put\",le=\"0.0001\"} 1\n") != std::string::npos);
  CHECK(page.find("d_seconds_bucket{route=\"put\",le=\"0.0025\"} 2\n") != std::string::npos);
  CHECK(page.find("d_seconds_bucket{route=\"put\",le=\"10\"} 2\n") != std::string::npos);
  CHECK(page.find("d_seconds_bucket{route=\"put\",le=\"+Inf\"} 3\n") != std::string::npos);
  CHECK(page.find("d_seconds_sum{route=\"put\"} 60.0020") != std::string::npos);
  CHECK(page.ends_with("d_seconds_count{route=\"put\"} 3\n"));
}
