// One structured line of log: an event and its fields, as `key=value` words.
//
//   log.write(LogLevel::warn, LogLine("slow_consumer").with("client", 7).with("bytes", n));
//
// gives: ts=2026-11-02T09:00:00.000Z level=warn event=slow_consumer client=7 bytes=67108864
//
// Values with spaces, quotes or control characters are quoted and escaped, so a line is
// always one line. Where it goes is the caller's business: LogSink is an interface.
#pragma once

#include <fmt/core.h>
#include <string>
#include <string_view>

namespace tram::base {

enum class LogLevel { debug, info, warn, error };

class LogLine {
 public:
  explicit LogLine(std::string_view event) { append("event", event); }

  template <class Value>
  LogLine&& with(std::string_view key, const Value& value) && {
    append(key, fmt::format("{}", value));
    return std::move(*this);
  }
  const std::string& text() const { return text_; }

 private:
  void append(std::string_view key, std::string_view value);
  std::string text_;
};

class LogSink {
 public:
  virtual ~LogSink() = default;
  // Any thread. Must not block for long: it is called from event loops.
  virtual void write(LogLevel level, const LogLine& line) = 0;
};

}  // namespace tram::base
