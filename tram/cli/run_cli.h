// The command line: finds the verb and runs it.
#pragma once

#include <vector>

#include "tram/cli/verb.h"

namespace tram::cli {

// Returns the exit code. `extra` are the verbs of layers above this one.
//
// Called through a link named PUT, GET, ON or beuss, or with one of these words in capitals
// as its verb, it is the beuss command line instead (beuss_cli.h).
int run_cli(int argc, char** argv, std::vector<ExtraVerb> extra = {});

}  // namespace tram::cli
