// Gathers the options from where people put them. What is nearer to the command wins:
//
//   flag  >  TRAM_* environment  >  BPORT, BMAXMESSAGESIZE  >  configuration file  >  default
//
// Whatever is not known, or has a value it cannot have, is refused by name, with what would be
// right; all of it at once, so that a file is mended in one go.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tram/base/result.h"
#include "tram/server/option_table.h"

namespace tram::server {

enum class OptionSource { fallback, file, environment, flag };
std::string_view name_of(OptionSource source);

struct LoadedOptions {
  Options options;
  std::vector<OptionSource> sources;  // Of each row of the table.
  bool help = false;                  // --help was asked for; nothing else counts then.

  OptionSource source_of(std::string_view name) const;
  bool given(std::string_view name) const { return source_of(name) != OptionSource::fallback; }
};

// Sentences, one for each mistake.
using Mistakes = std::vector<std::string>;

// The outside world, as arguments.
struct OptionInput {
  std::vector<std::string> arguments;    // Behind the verb.
  std::vector<std::string> environment;  // "NAME=value".
  std::function<base::Result<std::string>(const std::string& path)> read_file;
};

std::expected<LoadedOptions, Mistakes> load_options(const OptionInput& input);

// TRAM_* variables that are not options of the server: its clients read them.
std::span<const std::string_view> client_variables();

// The whole file. Errors: io_error, permission_denied; invalid_argument when it is larger than
// a configuration could be.
base::Result<std::string> read_option_file(const std::string& path);

}  // namespace tram::server
