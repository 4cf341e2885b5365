// The one table of options. Flags, environment variables, the configuration file, `--help`,
// docs/options.md and validation all come from its rows.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "tram/server/options.h"

namespace tram::server {

enum class OptionType { port, host, count, bytes, duration, text, choice, flag };

// The words that may stand for a type in the documentation: "port", "bytes", ...
std::string_view name_of(OptionType type);

using OptionMember = std::variant<Port Options::*, uint64_t Options::*, base::Duration Options::*,
                                  std::string Options::*, bool Options::*>;

struct OptionRow {
  std::string_view name;     // As a flag, without the dashes.
  std::string_view section;  // Of the file and of the documentation.
  OptionType type;
  std::string_view fallback;  // The default, as it would be given.
  OptionMember member;
  std::string_view sentence;      // What it does, and what happens at the limit.
  std::string_view least = {};    // Of a number, bytes or duration; empty: 0.
  std::string_view most = {};     // Empty: none.
  std::string_view word = {};     // A word that may stand for 0, such as "auto".
  std::string_view choices = {};  // Of a choice: the words, with spaces between.
  std::string_view also = {};     // Another environment variable, looked at when ours is not set.
  bool secret = false;            // Never shown.
  bool in_file = true;            // May stand in the configuration file.
};

std::span<const OptionRow> option_table();

// nullptr if there is none of that name.
const OptionRow* find_option(std::string_view name);

// "nats-port" -> "TRAM_NATS_PORT".
std::string environment_name(const OptionRow& row);

// Sections in the order of the table, each with a sentence for people.
struct OptionSection {
  std::string_view name;
  std::string_view title;
};
std::span<const OptionSection> option_sections();

// Reads `text` into the row's member. Errors: the sentence that says what would be right.
Read<void> set_option(Options& options, const OptionRow& row, std::string_view text);

// The row's present value as it would be given; "(hidden)" for a secret one that is set.
std::string show_option(const Options& options, const OptionRow& row);

// Every option at its default.
Options default_options();

}  // namespace tram::server
