// PUT, GET, ON in capitals.
#include "tram/client/beuss.h"

#include <charconv>
#include <cstdlib>
#include <fmt/core.h>

#include "tram/base/system_clock.h"
#include "tram/cli/beuss_cli.h"
#include "tram/cli/exit_code.h"
#include "tram/cli/files.h"
#include "tram/cli/signals.h"

namespace tram::cli {

using base::Errc;
using base::Error;
using base::Result;
using client::Beuss;
using client::BeussMode;
using client::BeussOptions;

namespace {

constexpr std::string_view usage =
    "Usage:\n"
    "  PUT : echo \"content\" | tram PUT <queueName>\n"
    "  GET : tram GET <queueName> [output file]\n"
    "  ON  : tram ON <queueName>\n"
    "The server is at BHOST:BPORT (localhost:6552); a message has at most BMAXMESSAGESIZE bytes "
    "(102400).\n";

// The original's clients ask again after this long when a queue was empty.
constexpr base::Duration ask_again_after = std::chrono::seconds(1);

bool is_beuss_verb(std::string_view word) { return word == "PUT" || word == "GET" || word == "ON"; }

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != 0 ? value : otherwise;
}

Result<BeussOptions> options_from_environment() {
  BeussOptions options;
  options.host = variable("BHOST", "localhost");
  options.port = variable("BPORT", "6552");
  std::string most = variable("BMAXMESSAGESIZE", "102400");
  auto [end, error] =
      std::from_chars(most.data(), most.data() + most.size(), options.message_bytes_max);
  constexpr size_t largest = 1 << 30;
  if (error != std::errc() || end != most.data() + most.size() || options.message_bytes_max == 0 ||
      options.message_bytes_max > largest) {
    return base::failure(Errc::invalid_argument,
                         fmt::format("BMAXMESSAGESIZE is a number of bytes, not '{}'", most));
  }
  return options;
}

int fail(std::string_view verb, const Error& error) {
  if (error.code != Errc::cancelled) {
    (void)write_all(2, fmt::format("{}: {}\n", verb, error.text()));
  }
  return exit_code_of(error.code);
}

Result<> put(Beuss& beuss, const std::string& queue, const BeussOptions& options) {
  constexpr size_t input_bytes_max = 1 << 30;
  auto content = read_all(0, input_bytes_max);
  if (!content) return std::unexpected(content.error());
  // What is too long is cut, as beuss documents it. The original leaves the cutting to its
  // server, which then takes the rest for another message.
  size_t room = options.message_bytes_max - std::min(options.message_bytes_max, Beuss::name_bytes);
  if (content->size() > room) {
    (void)write_all(
        2, fmt::format("PUT: cut from {} bytes to {}: with the queue's name, a message has at most "
                       "BMAXMESSAGESIZE ({}) bytes\n",
                       content->size(), room, options.message_bytes_max));
    content->resize(room);
  }
  return beuss.put(queue, *content);
}

int get(Beuss& beuss, const std::vector<std::string>& words) {
  auto content = beuss.get(words[1]);
  if (!content) return fail("GET", content.error());
  if (!*content) {
    (void)write_all(2, "GET: empty queue\n");
    return exit_nothing;
  }
  auto written = words.size() == 3 ? write_file(words[2], **content) : write_all(1, **content);
  // The protocol takes a message off its queue as it gives it, so here it is lost, as with the
  // original; `tram get` acknowledges after writing.
  return written ? int(exit_ok) : fail("GET", written.error());
}

int on(Beuss& beuss, const std::string& queue, const Signals& signals, const base::Clock& clock) {
  while (true) {
    auto content = beuss.get(queue);
    if (!content) {
      return signals.stopped() ? int(exit_ok) : fail("ON", content.error());
    }
    if (*content) {
      if (auto written = write_all(1, **content); !written) return fail("ON", written.error());
      continue;
    }
    auto paused = client::pause_until(clock, clock.now() + ask_again_after, signals.stop());
    if (!paused) return signals.stopped() ? exit_ok : exit_failed;
  }
}

}  // namespace

std::optional<std::vector<std::string>> beuss_words(const std::string& program,
                                                    const std::vector<std::string>& words) {
  std::string name = program.substr(program.rfind('/') + 1);
  if (is_beuss_verb(name)) {
    std::vector<std::string> all{name};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  if (name == "beuss" || (!words.empty() && is_beuss_verb(words[0]))) return words;
  return std::nullopt;
}

int run_beuss_cli(const std::vector<std::string>& words) {
  bool file_allowed = !words.empty() && words[0] == "GET";
  if (words.size() < 2 || !is_beuss_verb(words[0]) || words.size() > (file_allowed ? 3 : 2)) {
    (void)write_all(2, usage);
    return exit_usage;
  }
  const std::string& verb = words[0];
  auto options = options_from_environment();
  if (!options) return fail(verb, options.error());
  base::SystemClock clock;
  std::optional<Signals> signals;
  if (verb == "ON") options->stop = signals.emplace().stop();
  auto beuss = Beuss::connect(verb == "PUT" ? BeussMode::put : BeussMode::get, *options, clock);
  if (!beuss) {
    Error error = beuss.error();
    if (error.code == Errc::unreachable) {
      error.detail = fmt::format("{}:{}: {}", options->host, options->port, error.detail);
    }
    return fail(verb, error);
  }
  int code = exit_ok;
  if (verb == "PUT") {
    if (auto stored = put(*beuss, words[1], *options); !stored) code = fail(verb, stored.error());
  } else if (verb == "GET") {
    code = get(*beuss, words);
  } else {
    code = on(*beuss, words[1], *signals, clock);
  }
  beuss->quit();
  return code;
}

}  // namespace tram::cli
