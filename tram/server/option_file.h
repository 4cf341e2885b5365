// The configuration file: TOML, with keys named as the flags, flat or under their sections.
//
//   nats-port = 4222            [queues]
//   beuss-port = "off"          stored-bytes-max = "2GiB"
#pragma once

#include <string>
#include <vector>

#include "tram/server/option_table.h"

namespace tram::server {

struct FileEntry {
  const OptionRow* row;
  std::string value;  // As a flag would give it.
  std::string place;  // "tram.toml:3", for messages.
};

struct FileEntries {
  std::vector<FileEntry> entries;
  std::vector<std::string> mistakes;  // Sentences; `entries` are good all the same.
};

// Checks that it is TOML, that every key is known and stands in its own section or in none, and
// that values are of a kind that the option takes. Not whether they are right: see set_option.
FileEntries parse_option_file(std::string_view text, const std::string& path);

// The names of all options, for "did you mean".
const std::vector<std::string>& option_names();

}  // namespace tram::server
