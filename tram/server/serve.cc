#include "tram/server/serve.h"

#include <cstdio>
#include <cstring>
#include <fmt/core.h>
#include <unistd.h>

#include "tram/base/system_clock.h"
#include "tram/cli/exit_code.h"
#include "tram/server/assembly.h"
#include "tram/server/banner.h"
#include "tram/server/option_docs.h"
#include "tram/server/signals.h"
#include "tram/server/stderr_log.h"

extern char** environ;

namespace tram::server {

namespace {

using base::LogLevel;
using base::LogLine;

// How often a stop looks whether everybody has left.
constexpr base::Duration drain_interval = std::chrono::milliseconds(10);

std::expected<LoadedOptions, Mistakes> load(int argc, char** argv) {
  OptionInput input{.arguments = std::vector<std::string>(argv + 1, argv + argc),
                    .environment = {},
                    .read_file = read_option_file};
  for (char** variable = environ; *variable; ++variable) input.environment.push_back(*variable);
  return load_options(input);
}

LogLevel level_of(const std::string& name) {
  for (LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn})
    if (name_of(level) == name) return level;
  return LogLevel::error;
}

int print(const std::string& text) {
  bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return std::fflush(stdout) == 0 && written ? cli::exit_ok : cli::exit_failed;
}

void complain(std::string_view verb, std::string_view sentence) {
  fmt::print(stderr, "tram {}: {}\n", verb, sentence);
}

void tell_where(const Assembly& assembly, const LoadedOptions& loaded, base::LogSink& log) {
  for (const OpenDoor& door : assembly.doors())
    log.write(LogLevel::info,
              LogLine("listening").with("door", door.name).with("address", door.address));
  for (const std::string& remark : assembly.remarks())
    log.write(LogLevel::warn, LogLine("remark").with("text", remark));
  log.write(LogLevel::info, LogLine("started")
                                .with("version", TRAM_VERSION)
                                .with("pid", ::getpid())
                                .with("threads", assembly.loops())
                                .with("connections_max", assembly.connections_max()));
  // For people; programs read the log.
  if (::isatty(2) == 1 && loaded.options.log_format == "text")
    fmt::print(stderr, "{}", banner(TRAM_VERSION, assembly.doors(), program_name()));
}

// Waits until everybody has left or the time is over. False: somebody asked a second time.
bool drain(const Assembly& assembly, Signals& signals, const base::Clock& clock,
           base::Duration timeout) {
  base::Time deadline = clock.now() + timeout;
  while (assembly.connections_open() > 0 && clock.now() < deadline)
    if (signals.wait(drain_interval)) return false;
  return true;
}

class PortsFile {
 public:
  explicit PortsFile(std::string path) : path_(std::move(path)) {}
  ~PortsFile() {
    if (written_) ::unlink(path_.c_str());
  }
  base::Result<> write(const Assembly& assembly) {
    if (path_.empty()) return {};
    base::Result<> result = write_ports_file(path_, assembly.doors());
    written_ = result.has_value();
    return result;
  }
  void remove() {
    if (written_) ::unlink(path_.c_str());
    written_ = false;
  }

 private:
  const std::string path_;
  bool written_ = false;
};

int run_broker(const LoadedOptions& loaded) {
  const Options& options = loaded.options;
  base::SystemClock clock;
  StderrLog log(clock, level_of(options.log_level),
                options.log_format == "json" ? LogFormat::json : LogFormat::text);
  Signals signals;
  Assembly assembly(loaded, clock, log, TRAM_VERSION);
  if (auto opened = assembly.open(); !opened) {
    complain("serve", opened.error().detail);
    return cli::exit_failed;
  }
  assembly.start();
  PortsFile ports_file(options.ports_file);
  if (auto written = ports_file.write(assembly); !written) {
    complain("serve", fmt::format("--ports-file: {}", written.error().text()));
    return cli::exit_failed;
  }
  tell_where(assembly, loaded, log);

  int signal = *signals.wait();
  log.write(LogLevel::info, LogLine("stopping")
                                .with("signal", ::sigabbrev_np(signal))
                                .with("connections", assembly.connections_open()));
  ports_file.remove();
  assembly.stop_accepting();
  if (!drain(assembly, signals, clock, options.drain_timeout)) {
    log.write(LogLevel::warn, LogLine("stopped_at_once")
                                  .with("connections_cut", assembly.connections_open())
                                  .with("messages_left", assembly.messages_stored()));
    // Nothing is undone by destructors that the end of the process does not undo.
    ::_exit(128 + signal);
  }
  uint64_t cut = assembly.stop();
  log.write(LogLevel::info, LogLine("stopped")
                                .with("connections_cut", cut)
                                .with("messages_left", assembly.messages_stored()));
  return cli::exit_ok;
}

}  // namespace

int run_serve(int argc, char** argv) {
  auto loaded = load(argc, argv);
  if (!loaded) {
    for (const std::string& mistake : loaded.error()) complain("serve", mistake);
    return cli::exit_usage;
  }
  if (loaded->help) return print(serve_help());
  if (loaded->options.check) return print(options_in_force(*loaded));
  return run_broker(*loaded);
}

int run_options(int argc, char** argv) {
  if (argc == 1) return print(options_listing());
  if (argc == 2 && std::strcmp(argv[1], "--markdown") == 0) return print(options_markdown());
  if (argc == 2 && (std::strcmp(argv[1], "--help") == 0 || std::strcmp(argv[1], "-h") == 0))
    return print(
        "Lists the options of `tram serve`, one a line: flag, environment variable, kind,\n"
        "default, what it does.\n\nUsage: tram options [--markdown]\n\n"
        "  --markdown  as the page docs/options.md\n");
  complain("options", fmt::format("{}: it takes --markdown, or nothing", argv[1]));
  return cli::exit_usage;
}

std::vector<cli::ExtraVerb> server_verbs() {
  std::vector<std::string> flags;
  for (const OptionRow& row : option_table()) flags.push_back(fmt::format("--{}", row.name));
  return {{"serve", "run the broker", run_serve, std::move(flags)},
          {"options", "list the options of serve", run_options, {"--markdown"}}};
}

}  // namespace tram::server
