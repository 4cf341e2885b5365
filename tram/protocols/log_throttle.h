// For events that can come by the thousand: the first is logged at once, the others are counted
// and logged together, once per interval.
//
// Belongs to its loop.
#pragma once

#include "tram/base/log_line.h"
#include "tram/net/loop.h"

namespace tram::protocols {

class LogThrottle {
 public:
  static constexpr base::Duration interval = std::chrono::seconds(10);

  // Every line is `line` and `count=<how many since the last>`.
  LogThrottle(net::Loop& loop, base::LogSink& log, base::LogLevel level, base::LogLine line);

  void happened();

 private:
  void write();

  net::Loop& loop_;
  base::LogSink& log_;
  const base::LogLevel level_;
  const base::LogLine line_;
  net::Timer quiet_;  // Runs while nothing is said.
  uint64_t untold_ = 0;
};

}  // namespace tram::protocols
