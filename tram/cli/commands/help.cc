// tram help [VERB], and --help of every verb.
#include "tram/cli/help.h"

#include "tram/cli/files.h"

namespace tram::cli {

namespace {

constexpr size_t width = 96;

// `text` from column `indent` on, broken between words.
void append_wrapped(std::string& out, std::string_view text, size_t indent) {
  size_t column = indent;
  while (!text.empty()) {
    size_t end = text.find(' ');
    std::string_view word = text.substr(0, end);
    if (column > indent && column + 1 + word.size() > width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  out += '\n';
}

void append_row(std::string& out, std::string_view left, std::string_view right, size_t indent) {
  out += "  ";
  out += left;
  if (left.size() + 4 > indent) {
    out += '\n';
    out.append(indent, ' ');
  } else {
    out.append(indent - 2 - left.size(), ' ');
  }
  append_wrapped(out, right, indent);
}

std::string spelled(const OptionSet::Option& option) {
  std::string text;
  for (const std::string& name : split_names(option.names)) {
    text += text.empty() ? name : ", " + name;
  }
  if (!option.value.empty()) text += " " + option.value;
  return text;
}

std::string usage_of(const VerbEntry& entry, const OptionSet& options) {
  std::string usage = fmt::format("tram {}", entry.name);
  for (const auto& positional : options.positionals()) {
    std::string name = positional.name;
    if (!positional.choices.empty()) {
      name.clear();
      for (const auto& choice : positional.choices) name += (name.empty() ? "" : "|") + choice;
    }
    if (positional.rest) name += "...";
    usage += positional.required ? " " + name : " [" + name + "]";
  }
  usage += " [OPTIONS]";
  if (options.takes_command()) usage += " -- COMMAND...";
  return usage;
}

void append_options(std::string& out, const OptionSet& options, bool globals) {
  for (const auto& option : options.options()) {
    if (option.global == globals) append_row(out, spelled(option), option.help, 26);
  }
}

}  // namespace

int show_help(const VerbTable& table, int descriptor) {
  std::string out =
      "tram is a message broker and its command line.\n\n"
      "  tram VERB [ARGUMENTS] [OPTIONS]        tram help VERB for more of one\n\nVerbs:\n";
  for (const ExtraVerb& verb : table.extra) append_row(out, verb.name, verb.summary, 14);
  for (const VerbEntry& verb : table.verbs) append_row(out, verb.name, verb.summary, 14);
  append_row(out, "help", "this list, or more of one verb", 14);
  append_row(out, "version", "the version of this program", 14);
  append_row(out, "completion", "a script that completes verbs and options in bash, zsh or fish",
             14);
  Globals globals;
  OptionSet options;
  globals.declare(options);
  out += "\nOptions of every verb that talks to a broker:\n";
  append_options(out, options, true);
  out +=
      "\nTry it:\n"
      "  tram put jobs '{\"id\":1}'        tram get jobs\n"
      "  tram sub 'orders.>' &           tram pub orders.eu.paid hello\n"
      "  tram reply time -- date &       tram request time\n"
      "\nData goes to standard output, words to standard error.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 nothing there, 4 nobody answered or\n"
      "not in time, 130 interrupted. PUT, GET and ON in capitals speak the beuss protocol.\n";
  (void)write_all(descriptor, out);
  return exit_ok;
}

int show_verb_help(const VerbEntry& entry, const Verb& verb, const OptionSet& options) {
  std::string out = fmt::format("{}\n\n  ", usage_of(entry, options));
  append_wrapped(out, std::string(entry.summary) + ".", 2);
  out += '\n';
  for (const auto& positional : options.positionals()) {
    append_row(out, positional.name, positional.help, 26);
  }
  if (options.takes_command()) append_row(out, "COMMAND", options.command_help(), 26);
  out += "\nOptions:\n";
  append_options(out, options, false);
  out += "\nOptions of every verb:\n";
  append_options(out, options, true);
  if (!verb.notes().empty()) out += fmt::format("\n{}", verb.notes());
  out += "\nExamples:\n";
  for (const Example& example : verb.examples()) {
    out += fmt::format("  {}\n", example.line);
    if (!example.what.empty()) out += fmt::format("      {}\n", example.what);
  }
  out +=
      "\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 nothing there, 4 nobody answered "
      "or\n"
      "not in time, 130 interrupted.\n";
  (void)write_all(1, out);
  return exit_ok;
}

bool show_other_help(std::string_view name) {
  std::string_view text;
  if (name == "help") {
    text =
        "tram help [VERB]\n\n  The list of verbs, or all about one.\n\nExample:\n  tram help put\n";
  } else if (name == "version") {
    text =
        "tram version [--json]\n\n  The version of this program.\n\nExample:\n  tram version "
        "--json\n";
  } else if (name == "completion") {
    text =
        "tram completion bash|zsh|fish\n\n"
        "  A script that completes verbs, options and their values; made from the table that\n"
        "  parses them.\n\nExamples:\n"
        "  source <(tram completion bash)                                in ~/.bashrc\n"
        "  tram completion zsh > \"${fpath[1]}/_tram\"\n"
        "  tram completion fish > ~/.config/fish/completions/tram.fish\n";
  } else {
    return false;
  }
  (void)write_all(1, text);
  return true;
}

}  // namespace tram::cli
