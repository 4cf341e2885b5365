#include "tram/server/option_value.h"

#include <array>
#include <charconv>
#include <fmt/core.h>
#include <optional>

namespace tram::server {

namespace {

using base::Duration;

struct Unit {
  std::string_view name;
  uint64_t size;
};
constexpr uint64_t kilo = 1000;
constexpr uint64_t kibi = 1024;
// Largest first, binary before decimal: the order in which show_bytes tries them.
constexpr std::array<Unit, 9> byte_units = {{{"TiB", kibi* kibi* kibi* kibi},
                                             {"GiB", kibi* kibi* kibi},
                                             {"MiB", kibi* kibi},
                                             {"KiB", kibi},
                                             {"TB", kilo* kilo* kilo* kilo},
                                             {"GB", kilo* kilo* kilo},
                                             {"MB", kilo* kilo},
                                             {"kB", kilo},
                                             {"B", 1}}};
// In milliseconds.
constexpr std::array<Unit, 5> duration_units = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

constexpr std::string_view port_rule =
    "a port is a number from 0 to 65535, where 0 is any free port; or the word off";
constexpr std::string_view count_rule = "it takes a whole number, such as 1000";
constexpr std::string_view bytes_rule =
    "it takes a number of bytes, such as 65536, 64KiB, 1MB or 2GiB";
constexpr std::string_view duration_rule =
    "it takes a length of time with its unit, such as 500ms, 5s, 2m or 1h";

bool same_letters(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  return true;
}

std::unexpected<std::string> refused(std::string_view rule) {
  return std::unexpected(std::string(rule));
}

// Takes the digits off the front of `text`. nullopt if there are none, or too many.
std::optional<uint64_t> take_number(std::string_view& text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

// Takes the letters off the front of `text`.
std::string_view take_word(std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && !(text[size] >= '0' && text[size] <= '9')) ++size;
  std::string_view word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

}  // namespace

Read<Port> read_port(std::string_view text) {
  if (text == "off") return Port{.open = false};
  std::optional<uint64_t> number = take_number(text);
  if (!number || !text.empty() || *number > 65535) return refused(port_rule);
  return Port{.open = true, .number = static_cast<uint16_t>(*number)};
}

Read<uint64_t> read_count(std::string_view text) {
  std::optional<uint64_t> number = take_number(text);
  if (!number || !text.empty()) return refused(count_rule);
  return *number;
}

Read<uint64_t> read_bytes(std::string_view text) {
  std::optional<uint64_t> number = take_number(text);
  if (!number) return refused(bytes_rule);
  if (text.empty()) return *number;
  for (const Unit& unit : byte_units) {
    if (!same_letters(text, unit.name)) continue;
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(*number, unit.size, &bytes)) return refused(bytes_rule);
    return bytes;
  }
  return refused(bytes_rule);
}

Read<Duration> read_duration(std::string_view text) {
  if (text == "0") return Duration();
  if (text.empty()) return refused(duration_rule);
  Duration sum;
  while (!text.empty()) {
    std::optional<uint64_t> number = take_number(text);
    if (!number) return refused(duration_rule);
    std::string_view word = take_word(text);
    const Unit* found = nullptr;
    for (const Unit& unit : duration_units)
      if (unit.name == word) found = &unit;
    int64_t milliseconds = 0;
    if (!found || __builtin_mul_overflow(*number, found->size, &milliseconds))
      return refused(duration_rule);
    sum = sum + Duration::from_milliseconds(milliseconds);
  }
  return sum;
}

Read<std::string> read_host(std::string_view text) {
  bool fine = !text.empty() && text.size() <= 255;
  size_t colons = 0;
  for (unsigned char c : text) {
    fine = fine && c > ' ' && c < 0x7F && c != '/' && c != '[' && c != ']';
    if (c == ':') ++colons;
  }
  // One colon is a port; an IPv6 address has at least two.
  if (!fine || colons == 1)
    return refused("a host is a name or an address alone, such as 127.0.0.1, ::1 or localhost");
  return std::string(text);
}

Read<std::string> read_text(std::string_view text) {
  for (unsigned char c : text)
    if (c < ' ' || c == 0x7F) return refused("it takes text on one line");
  return std::string(text);
}

Read<bool> read_flag(std::string_view text) {
  for (std::string_view yes : {"true", "yes", "on", "1"})
    if (text == yes) return true;
  for (std::string_view no : {"false", "no", "off", "0"})
    if (text == no) return false;
  return refused("it takes true or false");
}

std::string show(Port port) { return port.open ? fmt::format("{}", port.number) : "off"; }

std::string show_bytes(uint64_t bytes) {
  // A decimal unit only for a round number of it: 102400 stays as it is, not 102.4 of anything.
  for (const Unit& unit : byte_units)
    if (unit.size > 1 && bytes >= unit.size && bytes % unit.size == 0)
      return fmt::format("{}{}", bytes / unit.size, unit.name);
  return fmt::format("{}", bytes);
}

std::string show(Duration duration) {
  uint64_t rest = static_cast<uint64_t>(duration.milliseconds());
  if (rest == 0) return "0";
  std::string text;
  for (const Unit& unit : duration_units) {
    if (rest >= unit.size) text += fmt::format("{}{}", rest / unit.size, unit.name);
    rest %= unit.size;
  }
  return text;
}

}  // namespace tram::server
