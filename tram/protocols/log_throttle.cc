#include "tram/protocols/log_throttle.h"

namespace tram::protocols {

LogThrottle::LogThrottle(net::Loop& loop, base::LogSink& log, base::LogLevel level,
                         base::LogLine line)
    : loop_(loop), log_(log), level_(level), line_(std::move(line)), quiet_([this] {
        if (untold_ > 0) write();
      }) {}

void LogThrottle::happened() {
  ++untold_;
  if (!quiet_.running()) write();
}

void LogThrottle::write() {
  log_.write(level_, base::LogLine(line_).with("count", untold_));
  untold_ = 0;
  loop_.start(quiet_, interval);
}

}  // namespace tram::protocols
