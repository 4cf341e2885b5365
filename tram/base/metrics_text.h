// Writes Prometheus's text format, version 0.0.4.
//
//   MetricsText text;
//   text.family("tram_connections", MetricType::gauge, "Open connections.");
//   text.sample({{"door", "nats"}}, 7);
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "tram/base/counter.h"

namespace tram::base {

enum class MetricType { counter, gauge, histogram };

struct MetricLabel {
  std::string_view name;
  std::string_view value;  // Any bytes: escaped, and made UTF-8 where they are not.
};

class MetricsText {
 public:
  using Labels = std::initializer_list<MetricLabel>;

  // Begins a family: the samples that follow belong to it. `name` and `help` are ours.
  void family(std::string_view name, MetricType type, std::string_view help);
  void sample(std::span<const MetricLabel> labels, uint64_t value);
  void sample(std::span<const MetricLabel> labels, double value);
  void sample(Labels labels, uint64_t value) { sample(std::span(labels), value); }
  void sample(Labels labels, double value) { sample(std::span(labels), value); }
  // The buckets, the sum and the count of one series, added up over `parts`. They may be written
  // to meanwhile: the count is that of the buckets, so these always agree.
  void histogram(Labels labels, std::span<const LatencyHistogram* const> parts);

  std::string take() { return std::move(text_); }

 private:
  void line(std::string_view suffix, std::span<const MetricLabel> labels, std::string_view bound,
            std::string_view value);

  std::string name_;
  std::string text_;
};

}  // namespace tram::base
