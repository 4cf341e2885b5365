#include "tram/server/stderr_log.h"

#include <ctime>
#include <poll.h>
#include <unistd.h>

#include "tram/base/utf8.h"

namespace tram::server {

namespace {

// A pipe that says it is ready takes this much without waiting (PIPE_BUF).
constexpr size_t line_size_max = 4096;

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    auto first = static_cast<unsigned char>(text.front());
    size_t size = base::utf8_sequence_size(text);
    if (size == 0) {
      to += "\\ufffd";
      size = 1;
    } else if (first == '"' || first == '\\') {
      to += '\\';
      to += text.front();
    } else if (first < ' ' || first == 0x7F) {
      to += fmt::format("\\u{:04x}", first);
    } else {
      to += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  to += '"';
}

// 0, or digits that do not begin with 0, and few enough for every reader of JSON.
bool is_number(std::string_view text) {
  if (text.empty() || text.size() > 15 || (text[0] == '0' && text.size() > 1)) return false;
  for (char c : text)
    if (c < '0' || c > '9') return false;
  return true;
}

int hex_digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// Takes a quoted value off the front of `words` and undoes what LogLine did to it.
std::string take_quoted(std::string_view& words) {
  std::string value;
  size_t i = 1;
  for (; i < words.size() && words[i] != '"'; ++i) {
    if (words[i] != '\\') {
      value += words[i];
    } else if (words[i + 1] == 'x') {
      value += static_cast<char>(hex_digit(words[i + 2]) * 16 + hex_digit(words[i + 3]));
      i += 3;
    } else {
      value += words[++i];
    }
  }
  words.remove_prefix(i + 1);
  return value;
}

}  // namespace

StderrLog::StderrLog(const base::Clock& clock, base::LogLevel least, LogFormat format,
                     int descriptor)
    : clock_(clock), least_(least), format_(format), descriptor_(descriptor) {}

void StderrLog::write(base::LogLevel level, const base::LogLine& line) {
  if (level < least_) return;
  std::lock_guard lock(mutex_);
  if (dropped_ > 0 &&
      put(base::LogLevel::warn, base::LogLine("log_lines_dropped").with("count", dropped_).text()))
    dropped_ = 0;
  if (!put(level, line.text())) ++dropped_;
}

bool StderrLog::put(base::LogLevel level, const std::string& words) {
  std::string time = show_wall_time(clock_.wall_nanoseconds());
  std::string text;
  if (format_ == LogFormat::text)
    text = fmt::format("ts={} level={} {}", time, name_of(level), words);
  else
    text =
        fmt::format(R"({{"ts":"{}","level":"{}",{}}})", time, name_of(level), json_members(words));
  if (text.size() >= line_size_max) {
    // Only what a client said can be that long; its beginning tells enough.
    text = fmt::format("ts={} level={} event=log_line_too_long bytes={}", time, name_of(level),
                       text.size());
    if (format_ == LogFormat::json)
      text = fmt::format(R"({{"ts":"{}","level":"{}","event":"log_line_too_long"}})", time,
                         name_of(level));
  }
  text += '\n';
  pollfd ready{descriptor_, POLLOUT, 0};
  if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
  return ::write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string_view name_of(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::debug:
      return "debug";
    case base::LogLevel::info:
      return "info";
    case base::LogLevel::warn:
      return "warn";
    case base::LogLevel::error:
      return "error";
  }
  return "unknown";
}

std::string show_wall_time(int64_t nanoseconds_since_1970) {
  std::time_t seconds = nanoseconds_since_1970 / 1'000'000'000;
  int64_t milliseconds = nanoseconds_since_1970 / 1'000'000 % 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     milliseconds);
}

std::string json_members(std::string_view words) {
  std::string json;
  while (!words.empty()) {
    size_t equals = words.find('=');
    if (equals == std::string_view::npos) break;
    if (!json.empty()) json += ',';
    append_json_string(json, words.substr(0, equals));
    json += ':';
    words.remove_prefix(equals + 1);
    if (words.starts_with('"')) {
      append_json_string(json, take_quoted(words));
    } else {
      std::string_view value = words.substr(0, words.find(' '));
      words.remove_prefix(value.size());
      if (is_number(value))
        json += value;
      else
        append_json_string(json, value);
    }
    if (words.starts_with(' ')) words.remove_prefix(1);
  }
  return json;
}

}  // namespace tram::server
