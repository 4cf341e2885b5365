// tram completion bash|zsh|fish
#include "tram/cli/completion.h"

#include <fmt/core.h>

#include "tram/cli/files.h"
#include "tram/cli/help.h"

namespace tram::cli {

namespace {

struct Completed {
  std::string name;
  std::string summary;
  std::vector<OptionSet::Option> options;
  std::vector<std::string> choices;  // of the first argument, if it has any
};

std::vector<Completed> all_completed(const VerbTable& table) {
  std::vector<Completed> all;
  for (const ExtraVerb& extra : table.extra) {
    Completed verb{extra.name, extra.summary, {}, {}};
    for (const std::string& name : extra.options) {
      verb.options.push_back({.names = name, .value = {}, .help = {}, .set = nullptr});
    }
    all.push_back(std::move(verb));
  }
  for (const VerbEntry& entry : table.verbs) {
    auto verb = entry.make();
    Globals globals;
    OptionSet options;
    verb->declare(options);
    globals.declare(options);
    Completed one{std::string(entry.name), std::string(entry.summary), options.options(), {}};
    if (!options.positionals().empty()) one.choices = options.positionals()[0].choices;
    all.push_back(std::move(one));
  }
  all.push_back({"help", "more of one verb", {}, table.names()});
  all.push_back({"version", "the version of this program", {}, {}});
  all.push_back({"completion", "a script for a shell", {}, {"bash", "zsh", "fish"}});
  return all;
}

// In single quotes for a shell.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out += '\'';
}

std::string joined(const Completed& verb) {
  std::string words;
  for (const auto& option : verb.options) {
    for (const std::string& name : split_names(option.names)) words += name + " ";
  }
  for (const std::string& choice : verb.choices) words += choice + " ";
  return words;
}

std::string bash_script(const std::vector<Completed>& verbs) {
  std::string names;
  std::string cases;
  for (const Completed& verb : verbs) {
    names += verb.name + " ";
    cases += fmt::format("    {}) words={} ;;\n", verb.name, quoted(joined(verb)));
  }
  return fmt::format(
      "_tram() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words={}\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -gt 1 ]; then\n"
      "    case ${{COMP_WORDS[1]}} in\n"
      "{}"
      "    *) return ;;\n"
      "    esac\n"
      "  fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "}}\n"
      "complete -o default -F _tram tram\n",
      quoted(names), cases);
}

std::string zsh_script(const std::vector<Completed>& verbs) {
  std::string names;
  std::string cases;
  auto escaped = [](std::string_view text) {
    std::string out;
    for (char c : text) {
      if (c == ':' || c == '[' || c == ']') out += '\\';
      out += c;
    }
    return out;
  };
  for (const Completed& verb : verbs) {
    names +=
        fmt::format("    {}\n", quoted(fmt::format("{}:{}", verb.name, escaped(verb.summary))));
    std::string specs;
    for (const auto& option : verb.options) {
      for (const std::string& name : split_names(option.names)) {
        std::string repeat = option.repeatable ? "*" : "";
        std::string value = option.value.empty() ? "" : fmt::format(":{}:", option.value);
        specs += " " + quoted(fmt::format("{}{}[{}]{}", repeat, name, escaped(option.help), value));
      }
    }
    if (!verb.choices.empty()) {
      std::string choices;
      for (const std::string& choice : verb.choices) choices += choice + " ";
      specs += " " + quoted(fmt::format("1:what:({})", choices));
    }
    cases += fmt::format("    {}) _arguments{} '*:file:_files' ;;\n", verb.name, specs);
  }
  return fmt::format(
      "#compdef tram\n"
      "_tram() {{\n"
      "  local -a verbs=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe verb verbs\n"
      "    return\n"
      "  fi\n"
      "  local verb=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $verb in\n{}  esac\n"
      "}}\n"
      "if [ \"$funcstack[1]\" = _tram ]; then _tram \"$@\"; else compdef _tram tram; fi\n",
      names, cases);
}

std::string fish_script(const std::vector<Completed>& verbs) {
  std::string out =
      "complete -c tram -f -n __fish_use_subcommand -s h -l help -d 'the list of verbs'\n";
  for (const Completed& verb : verbs) {
    out += fmt::format("complete -c tram -f -n __fish_use_subcommand -a {} -d {}\n", verb.name,
                       quoted(verb.summary));
    std::string when = fmt::format("-n '__fish_seen_subcommand_from {}'", verb.name);
    for (const auto& option : verb.options) {
      out += fmt::format("complete -c tram {}", when);
      for (const std::string& name : split_names(option.names)) {
        out += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                                      : fmt::format(" -s {}", name.substr(1));
      }
      if (!option.value.empty()) out += " -r";
      out += fmt::format(" -d {}\n", quoted(option.help));
    }
    for (const std::string& choice : verb.choices) {
      out += fmt::format("complete -c tram -f {} -a {}\n", when, choice);
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const VerbTable& table, std::string_view shell) {
  auto verbs = all_completed(table);
  if (shell == "bash") return bash_script(verbs);
  if (shell == "zsh") return zsh_script(verbs);
  if (shell == "fish") return fish_script(verbs);
  return {};
}

int run_completion(const VerbTable& table, const std::vector<std::string>& words) {
  if (words.size() == 1 && (words[0] == "-h" || words[0] == "--help")) {
    return show_other_help("completion") ? exit_ok : exit_failed;
  }
  std::string script = words.size() == 1 ? completion_script(table, words[0]) : std::string();
  if (script.empty()) {
    (void)write_all(2, "tram completion: name one shell: bash, zsh or fish\n");
    return exit_usage;
  }
  return write_all(1, script) ? exit_ok : exit_failed;
}

}  // namespace tram::cli
