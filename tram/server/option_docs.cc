#include "tram/server/option_docs.h"

#include <fmt/core.h>

namespace tram::server {

namespace {

constexpr size_t help_width = 79;

constexpr std::string_view help_head =
    R"(Runs the broker until it is told to stop (Ctrl-C, or SIGTERM).

Usage: tram serve [options]

Each option may also be set in the environment (--nats-port as TRAM_NATS_PORT)
or in a TOML file (--config). A flag wins over the environment, that over the
file, that over the default.
)";

constexpr std::string_view help_tail = R"(
Examples:
  tram serve                                   all doors, on 127.0.0.1
  tram serve --host 0.0.0.0 --beuss-port off   for other machines, without beuss
  tram serve --nats-port 0 --ports-file ports  any free port; where, says the file
  TRAM_TOKEN=secret tram serve                 clients need this token
  tram serve --config tram.toml --check        is the configuration right?

Exit code: 0 after a graceful stop, 1 if the broker could not start, 2 if an
option is wrong. Ctrl-C twice stops at once.
)";

constexpr std::string_view markdown_head = R"(# Options

Everything that `tram serve` can be told, in the order of `tram serve --help`. Each option is a flag (`--nats-port
4222`), an environment variable (`TRAM_NATS_PORT=4222`), and a key of the TOML file that `--config` names:

```toml
nats-port = 4222          # flat, or in its section:

[queues]
stored-bytes-max = "2GiB"
queue-idle-expiry = "10m"
```

A flag wins over the environment, the environment over the file, the file over the default. What is not known, or has
a value that it cannot have, is refused by name, and the broker does not start (exit code 2); `tram serve --check`
only looks. Variables that begin with `TRAM_` and are not in these tables are refused too, except those that clients
read: CLIENTS.

* **port**: a number from 0 to 65535, where 0 is any free port, or `off`.
* **bytes**: `65536`, `64KiB`, `1MB`, `2GiB` (KiB is 1024, kB is 1000).
* **duration**: `500ms`, `5s`, `2m`, `1h`, `1d`, or several: `1m30s`.

`BPORT` and `BMAXMESSAGESIZE`, which beuss documents, set `beuss-port` and `beuss-max-message-bytes` where Tram's own
variables are not set. `BHOST` is for clients: the server listens on `host`, whatever `BHOST` says.

This page is printed by `tram options --markdown`; edit `tram/server/option_table.cc` instead.
)";

// "1 to 64, or auto", or empty.
std::string range_of(const OptionRow& row) {
  if (!row.choices.empty()) {
    std::string choices(row.choices);
    for (size_t at = choices.find(' '); at != std::string::npos; at = choices.find(' ', at + 2))
      choices.replace(at, 1, ", ");
    return choices;
  }
  std::string range;
  if (!row.most.empty())
    range = fmt::format("{} to {}", row.least.empty() ? "0" : row.least, row.most);
  else if (!row.least.empty())
    range = fmt::format("at least {}", row.least);
  if (!row.word.empty()) range += fmt::format("{}{}", range.empty() ? "or " : ", or ", row.word);
  return range;
}

std::string placeholder(const OptionRow& row) {
  if (row.type == OptionType::flag) return {};
  std::string word(row.type == OptionType::choice ? "word" : name_of(row.type));
  for (char& c : word) c = static_cast<char>(c - 'a' + 'A');
  return " " + word;
}

// Breaks `text` into lines and indents all of them.
void append_wrapped(std::string& to, std::string_view text, size_t indent) {
  size_t column = 0;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (column > 0 && column + 1 + word.size() > help_width) {
      to += '\n';
      column = 0;
    }
    to.append(column == 0 ? indent : 1, ' ');
    column += (column == 0 ? indent : 1) + word.size();
    to += word;
  }
  to += '\n';
}

std::string help_of(const OptionRow& row) {
  std::string facts;
  std::string range = range_of(row);
  if (!range.empty()) facts = range;
  if (row.type != OptionType::flag && !row.fallback.empty())
    facts += fmt::format("{}default {}", facts.empty() ? "" : "; ", row.fallback);
  return facts.empty() ? std::string(row.sentence) : fmt::format("{} [{}]", row.sentence, facts);
}

std::string clients_read() {
  std::string names;
  for (std::string_view name : client_variables())
    names += fmt::format("{}`{}`", names.empty() ? "" : ", ", name);
  return names;
}

// In a table a bar would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string serve_help() {
  std::string help(help_head);
  for (const OptionSection& section : option_sections()) {
    help += fmt::format("\n{}\n", section.title);
    for (const OptionRow& row : option_table()) {
      if (row.section != section.name) continue;
      help += fmt::format("  --{}{}\n", row.name, placeholder(row));
      append_wrapped(help, help_of(row), 6);
    }
  }
  return help.append(help_tail);
}

std::string options_listing() {
  std::string text;
  for (const OptionRow& row : option_table())
    text += fmt::format("--{:<26} {:<32} {:<9} {:<10} {}\n", row.name, environment_name(row),
                        name_of(row.type), row.fallback.empty() ? "-" : row.fallback, row.sentence);
  return text;
}

std::string options_markdown() {
  std::string text(markdown_head);
  text.replace(text.find("CLIENTS"), 7, clients_read());
  for (const OptionSection& section : option_sections()) {
    text += fmt::format(
        "\n## {}\n\nIn the file: `[{}]`.\n\n| flag | takes | default | what it does |\n"
        "|---|---|---|---|\n",
        section.title, section.name);
    for (const OptionRow& row : option_table()) {
      if (row.section != section.name) continue;
      std::string takes(name_of(row.type));
      if (std::string range = range_of(row); !range.empty())
        takes = row.type == OptionType::choice ? range : fmt::format("{}, {}", takes, range);
      std::string sentence(row.sentence);
      if (!row.also.empty()) sentence += fmt::format(" Also `{}`.", row.also);
      if (row.secret) sentence += " Never shown.";
      if (!row.in_file) sentence += " Not in the file.";
      text += fmt::format("| `--{}` | {} | {} | {} |\n", row.name, cell(takes),
                          row.fallback.empty() ? "" : fmt::format("`{}`", row.fallback),
                          cell(sentence));
    }
  }
  return text;
}

std::string options_in_force(const LoadedOptions& loaded) {
  std::string text;
  for (const OptionRow& row : option_table()) {
    OptionSource source = loaded.source_of(row.name);
    if (source == OptionSource::fallback || row.name == "check") continue;
    text +=
        fmt::format("{} = {}  # {}\n", row.name, show_option(loaded.options, row), name_of(source));
  }
  return text;
}

}  // namespace tram::server
