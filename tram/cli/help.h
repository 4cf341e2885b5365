// What `tram help`, `tram help VERB` and `tram version` print.
#pragma once

#include <string>

#include "tram/cli/verbs.h"

namespace tram::cli {

// The list of verbs, to standard output (1) or, when it was not asked for, error (2).
int show_help(const VerbTable& table, int descriptor);
int show_verb_help(const VerbEntry& entry, const Verb& verb, const OptionSet& options);
// Help about help, version and completion; false if the word is none of them.
bool show_other_help(std::string_view name);

int show_version(bool json);
int run_version(const std::vector<std::string>& words);

}  // namespace tram::cli
