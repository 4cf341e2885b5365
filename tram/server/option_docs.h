// The table of options as people read it: `tram serve --help`, `tram options` and
// docs/options.md.
#pragma once

#include <string>

#include "tram/server/load_options.h"

namespace tram::server {

std::string serve_help();
// One option a line, for grep.
std::string options_listing();
// The whole of docs/options.md.
std::string options_markdown();
// Those that are not at their default, with where they come from: `tram serve --check`.
std::string options_in_force(const LoadedOptions& loaded);

}  // namespace tram::server
