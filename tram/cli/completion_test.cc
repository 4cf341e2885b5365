#include "tram/cli/completion.h"

#include <doctest/doctest.h>

using namespace tram::cli;

namespace {
int nothing(int, char**) { return 0; }
}  // namespace

TEST_CASE("every verb and every option is in each shell's script, those from outside too") {
  VerbTable table{own_verbs(),
                  {{"serve", "run the broker's server", nothing, {"--host", "--nats-port"}}}};
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    std::string script = completion_script(table, shell);
    auto has = [&](const std::string& text) { return script.find(text) != std::string::npos; };
    for (const std::string& name : table.names()) CHECK(has(name));
    CHECK(has("nats-port"));
    for (const VerbEntry& entry : table.verbs) {
      auto verb = entry.make();
      OptionSet options;
      verb->declare(options);
      for (const auto& option : options.options()) {
        for (const std::string& name : split_names(option.names)) {
          std::string bare = name.substr(name.find_first_not_of('-'));
          CAPTURE(name);
          CHECK(has(bare));
        }
      }
    }
    CHECK(has("purge"));
  }
  CHECK(completion_script(table, "csh").empty());
}

TEST_CASE("every verb has an example of itself") {
  for (const VerbEntry& entry : own_verbs()) {
    auto verb = entry.make();
    CAPTURE(entry.name);
    CHECK(!verb->examples().empty());
    for (const Example& example : verb->examples()) {
      CHECK(example.line.find("tram " + std::string(entry.name)) != std::string_view::npos);
    }
  }
}
