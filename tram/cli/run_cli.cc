#include "tram/cli/run_cli.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

#include "tram/base/system_clock.h"
#include "tram/cli/beuss_cli.h"
#include "tram/cli/completion.h"
#include "tram/cli/files.h"
#include "tram/cli/help.h"
#include "tram/cli/nearest.h"
#include "tram/cli/verbs.h"

namespace tram::cli {

namespace {

// The options of `Globals` that may stand before the verb and take a value.
bool takes_value(const OptionSet& globals, const std::string& word) {
  if (word.find('=') != std::string::npos) return false;
  for (const OptionSet::Option& option : globals.options()) {
    for (const std::string& name : split_names(option.names)) {
      if (name == word) return !option.value.empty();
    }
  }
  return false;
}

// Where in `words` the verb stands; `words.size()` if there is none.
size_t verb_position(const std::vector<std::string>& words) {
  Globals globals;
  OptionSet options;
  globals.declare(options);
  size_t at = 0;
  while (at < words.size() && words[at].size() > 1 && words[at][0] == '-') {
    at += takes_value(options, words[at]) ? 2 : 1;
  }
  return std::min(at, words.size());
}

int unknown_verb(const std::string& name, const VerbTable& table) {
  std::string near = nearest(name, table.names());
  std::string hint =
      near.empty() ? "'tram help' lists them" : fmt::format("did you mean '{}'?", near);
  (void)write_all(2, fmt::format("tram: there is no verb '{}': {}\n", name, hint));
  return exit_usage;
}

int run_verb(const VerbEntry& entry, const std::vector<std::string>& arguments) {
  auto verb = entry.make();
  Globals globals;
  const char* url = std::getenv("TRAM_URL");
  globals.server = url != nullptr && *url != 0 ? url : "nats://127.0.0.1:4222";
  OptionSet options;
  verb->declare(options);
  globals.declare(options);
  base::SystemClock clock;
  Context context(std::string(entry.name), globals, clock);
  auto parsed = options.parse(arguments);
  if (globals.help) return show_verb_help(entry, *verb, options);
  if (!parsed) return context.refuse(parsed.error().detail);
  return verb->run(context);
}

int run_extra(const ExtraVerb& extra, std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return extra.run(static_cast<int>(words.size()), argv.data());
}

// A socket must not become descriptor 1 because whoever started us closed it.
void open_standard_descriptors() {
  for (int descriptor : {0, 1, 2}) {
    if (::fcntl(descriptor, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);
  }
}

}  // namespace

int run_cli(int argc, char** argv, std::vector<ExtraVerb> extra) {
  // A closed standard output is told by write's result, where there is something to do about it.
  std::signal(SIGPIPE, SIG_IGN);
  open_standard_descriptors();
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  std::string program = argc > 0 ? argv[0] : "tram";
  if (auto beuss = beuss_words(program, words)) return run_beuss_cli(*beuss);

  VerbTable table{own_verbs(), std::move(extra)};
  size_t at = verb_position(words);
  if (at == words.size()) {
    for (const std::string& word : words) {
      if (word == "--version") return show_version(false);
      if (word == "-h" || word == "--help") return show_help(table, 1);
    }
    if (!words.empty()) {
      OptionSet options;
      Globals globals;
      globals.declare(options);
      if (auto parsed = options.parse(words); !parsed) {
        (void)write_all(2, fmt::format("tram: {}\n", parsed.error().detail));
        return exit_usage;
      }
    }
    show_help(table, 2);
    return exit_usage;
  }
  std::string name = words[at];
  if (const ExtraVerb* found = table.find_extra(name)) {
    std::vector<std::string> rest(words.begin(), words.end());
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
    rest.insert(rest.begin(), name);
    return run_extra(*found, std::move(rest));
  }
  words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
  if (const VerbEntry* found = table.find(name)) return run_verb(*found, words);
  if (name == "help") {
    if (words.empty()) return show_help(table, 1);
    if (words[0] == "-h" || words[0] == "--help") words[0] = "help";
    if (const ExtraVerb* about = table.find_extra(words[0])) {
      return run_extra(*about, {words[0], "--help"});
    }
    if (const VerbEntry* about = table.find(words[0])) return run_verb(*about, {"--help"});
    return show_other_help(words[0]) ? exit_ok : unknown_verb(words[0], table);
  }
  if (name == "version") return run_version(words);
  if (name == "completion") return run_completion(table, words);
  return unknown_verb(name, table);
}

}  // namespace tram::cli
