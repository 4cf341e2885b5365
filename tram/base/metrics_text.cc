#include "tram/base/metrics_text.h"

#include <fmt/core.h>

#include "tram/base/utf8.h"

namespace tram::base {

namespace {

std::string_view name_of(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return "counter";
    case MetricType::gauge:
      return "gauge";
    case MetricType::histogram:
      return "histogram";
  }
  return "untyped";
}

void append_value(std::string& to, std::string_view text) {
  while (!text.empty()) {
    size_t size = utf8_sequence_size(text);
    if (size == 0) {
      to += "\xEF\xBF\xBD";
      size = 1;
    } else if (text.front() == '\n') {
      to += "\\n";
    } else {
      if (text.front() == '"' || text.front() == '\\') to += '\\';
      to += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
}

}  // namespace

void MetricsText::family(std::string_view name, MetricType type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, name_of(type));
}

void MetricsText::sample(std::span<const MetricLabel> labels, uint64_t value) {
  line({}, labels, {}, fmt::format("{}", value));
}

void MetricsText::sample(std::span<const MetricLabel> labels, double value) {
  line({}, labels, {}, fmt::format("{}", value));
}

void MetricsText::histogram(Labels labels, std::span<const LatencyHistogram* const> parts) {
  constexpr auto& bounds = LatencyHistogram::bounds;
  uint64_t count = 0;
  double sum = 0;
  for (const LatencyHistogram* part : parts) sum += part->sum_seconds();
  for (size_t i = 0; i <= bounds.size(); ++i) {
    for (const LatencyHistogram* part : parts) count += part->bucket(i);
    std::string bound = i == bounds.size() ? "+Inf" : fmt::format("{}", bounds[i]);
    line("_bucket", labels, bound, fmt::format("{}", count));
  }
  line("_sum", labels, {}, fmt::format("{}", sum));
  line("_count", labels, {}, fmt::format("{}", count));
}

void MetricsText::line(std::string_view suffix, std::span<const MetricLabel> labels,
                       std::string_view bound, std::string_view value) {
  text_.append(name_).append(suffix);
  char open = '{';
  for (const MetricLabel& label : labels) {
    text_ += open;
    text_.append(label.name).append("=\"");
    append_value(text_, label.value);
    text_ += '"';
    open = ',';
  }
  if (!bound.empty()) {
    text_ += open;
    text_.append("le=\"").append(bound).append("\"");
    open = ',';
  }
  if (open == ',') text_ += '}';
  text_.append(" ").append(value).append("\n");
}

}  // namespace tram::base
