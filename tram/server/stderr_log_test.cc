#include "tram/server/stderr_log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

using namespace tram;
using namespace tram::server;
using base::LogLevel;
using base::LogLine;

namespace {

class StoppedClock final : public base::Clock {
 public:
  base::Time now() const override { return {}; }
  int64_t wall_nanoseconds() const override { return 1'793'610'000'123'456'789; }
};

struct Pipe {
  Pipe() { REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0); }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  std::string read() {
    std::string text(1 << 20, '\0');
    ssize_t size = ::read(ends[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }
  int ends[2];
};

}  // namespace

TEST_CASE("a log line has a time, a level and its words") {
  StoppedClock clock;
  Pipe pipe;
  StderrLog log(clock, LogLevel::info, LogFormat::text, pipe.ends[1]);
  log.write(LogLevel::warn,
            LogLine("slow_consumer").with("client", 7).with("why", "does not read"));
  CHECK(pipe.read() ==
        "ts=2026-11-02T09:00:00.123Z level=warn event=slow_consumer client=7 why=\"does not "
        "read\"\n");
}

TEST_CASE("the same line as JSON keeps numbers, and is JSON whatever a client said") {
  StoppedClock clock;
  Pipe pipe;
  StderrLog log(clock, LogLevel::info, LogFormat::json, pipe.ends[1]);
  log.write(LogLevel::info, LogLine("greeting")
                                .with("client", 7)
                                .with("id", "007")
                                .with("said", "a \"b\"\\\n\xff\xc3\xa4=")
                                .with("nothing", ""));
  CHECK(pipe.read() == R"({"ts":"2026-11-02T09:00:00.123Z","level":"info","event":"greeting",)"
                       R"("client":7,"id":"007","said":"a \"b\"\\\u000a\ufffdä=","nothing":""})"
                       "\n");
}

TEST_CASE("lines below the least level are not written") {
  StoppedClock clock;
  Pipe pipe;
  StderrLog log(clock, LogLevel::warn, LogFormat::text, pipe.ends[1]);
  log.write(LogLevel::debug, LogLine("a"));
  log.write(LogLevel::info, LogLine("b"));
  CHECK(pipe.read().empty());
  log.write(LogLevel::error, LogLine("c"));
  CHECK(pipe.read().ends_with("level=error event=c\n"));
}

TEST_CASE("a log that nobody reads loses lines instead of holding up the broker, and says so") {
  StoppedClock clock;
  Pipe pipe;
  StderrLog log(clock, LogLevel::info, LogFormat::text, pipe.ends[1]);
  std::string filler(1000, 'x');
  for (int i = 0; i < 200; ++i) log.write(LogLevel::info, LogLine("fill").with("with", filler));
  CHECK(pipe.read().size() <= 65536);
  log.write(LogLevel::info, LogLine("after"));
  std::string text = pipe.read();
  CHECK(text.find("event=log_lines_dropped count=1") != std::string::npos);
  CHECK(text.ends_with("event=after\n"));
}

TEST_CASE("a line longer than a pipe takes at once is replaced by a short one") {
  StoppedClock clock;
  Pipe pipe;
  StderrLog log(clock, LogLevel::info, LogFormat::text, pipe.ends[1]);
  log.write(LogLevel::info, LogLine("long").with("with", std::string(10'000, 'x')));
  CHECK(pipe.read() ==
        "ts=2026-11-02T09:00:00.123Z level=info event=log_line_too_long bytes=10055\n");
}
