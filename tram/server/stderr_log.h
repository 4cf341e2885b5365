// Where log lines go: to a file descriptor, usually standard error, one write each.
//
//   ts=2026-11-02T09:00:00.000Z level=info event=listening door=nats address=127.0.0.1:4222
//   {"ts":"2026-11-02T09:00:00.000Z","level":"info","event":"listening","door":"nats",...}
//
// Never waits: if the reader of the log (a pipe that nobody empties) does not keep up, lines are
// dropped, and how many were is the next line that gets through.
#pragma once

#include <mutex>
#include <string>

#include "tram/base/clock.h"
#include "tram/base/log_line.h"

namespace tram::server {

enum class LogFormat { text, json };

class StderrLog final : public base::LogSink {
 public:
  StderrLog(const base::Clock& clock, base::LogLevel least, LogFormat format, int descriptor = 2);

  void write(base::LogLevel level, const base::LogLine& line) override;

 private:
  bool put(base::LogLevel level, const std::string& words);

  const base::Clock& clock_;
  const base::LogLevel least_;
  const LogFormat format_;
  const int descriptor_;
  std::mutex mutex_;
  uint64_t dropped_ = 0;  // Guarded by mutex_.
};

std::string_view name_of(base::LogLevel level);
// "2026-11-02T09:00:00.000Z"
std::string show_wall_time(int64_t nanoseconds_since_1970);
// The words of a LogLine as one JSON object's members, without the braces. Whole numbers stay
// numbers; bytes that are not UTF-8 become U+FFFD.
std::string json_members(std::string_view words);

}  // namespace tram::server
