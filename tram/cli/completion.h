// Shell completion, made from the same tables that parse the command line.
#pragma once

#include <string>
#include <vector>

#include "tram/cli/verbs.h"

namespace tram::cli {

int run_completion(const VerbTable& table, const std::vector<std::string>& words);

// The script for "bash", "zsh" or "fish"; empty for another word.
std::string completion_script(const VerbTable& table, std::string_view shell);

}  // namespace tram::cli
