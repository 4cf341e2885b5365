#include "tram/cli/duration.h"

#include <charconv>
#include <cmath>
#include <fmt/core.h>

namespace tram::cli {

using base::Duration;
using base::Errc;
using base::failure;
using base::Result;

namespace {

// Nanoseconds in one unit; 0 if there is no such unit.
int64_t unit_size(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  if (unit == "m") return 60'000'000'000;
  if (unit == "h") return 3'600'000'000'000;
  if (unit == "d") return 86'400'000'000'000;
  return 0;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  auto wrong = [&] {
    return failure(Errc::invalid_argument,
                   fmt::format("a duration is written like 500ms, 5s or 1m30s, not '{}'", text));
  };
  if (text == "0") return Duration();
  if (text.empty()) return wrong();
  std::string_view rest = text;
  Duration sum;
  while (!rest.empty()) {
    double count = 0;
    if (rest[0] < '0' || rest[0] > '9') return wrong();
    auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), count, std::chars_format::fixed);
    if (error != std::errc()) return wrong();
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    size_t length = 0;
    while (length < rest.size() && rest[length] >= 'a' && rest[length] <= 'z') ++length;
    int64_t size = unit_size(rest.substr(0, length));
    if (size == 0) return wrong();
    rest.remove_prefix(length);
    double nanoseconds = count * static_cast<double>(size);
    if (nanoseconds >= 9.2e18) return wrong();
    sum = sum + Duration::from_nanoseconds(std::llround(nanoseconds));
  }
  return sum;
}

std::string show_duration(Duration duration) {
  int64_t nanoseconds = duration.nanoseconds();
  if (nanoseconds < 1'000) return fmt::format("{}ns", nanoseconds);
  if (nanoseconds < 1'000'000)
    return fmt::format("{:.4g}us", static_cast<double>(nanoseconds) / 1e3);
  if (nanoseconds < 1'000'000'000)
    return fmt::format("{:.4g}ms", static_cast<double>(nanoseconds) / 1e6);
  if (nanoseconds < 60'000'000'000) return fmt::format("{:.4g}s", duration.seconds());
  int64_t seconds = nanoseconds / 1'000'000'000;
  if (seconds < 3'600) return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h{}m", seconds / 3'600, seconds % 3'600 / 60);
  return fmt::format("{}d{}h", seconds / 86'400, seconds % 86'400 / 3'600);
}

}  // namespace tram::cli
