// tram version
#include <fmt/core.h>

#include "tram/cli/files.h"
#include "tram/cli/help.h"

#ifndef TRAM_VERSION
#error "TRAM_VERSION is given by tram/cli/CMakeLists.txt"
#endif

namespace tram::cli {

int show_version(bool json) {
  std::string line = json ? fmt::format("{{\"name\":\"tram\",\"version\":\"{}\"}}\n", TRAM_VERSION)
                          : fmt::format("tram {}\n", TRAM_VERSION);
  return write_all(1, line) ? exit_ok : exit_failed;
}

int run_version(const std::vector<std::string>& words) {
  bool json = false;
  for (const std::string& word : words) {
    if (word == "-h" || word == "--help") return show_other_help("version") ? exit_ok : exit_failed;
    if (word != "--json") {
      (void)write_all(2, fmt::format("tram version: it takes --json, not '{}'\n", word));
      return exit_usage;
    }
    json = true;
  }
  return show_version(json);
}

}  // namespace tram::cli
