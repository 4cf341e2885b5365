// The verbs of the server: `tram serve` and `tram options`.
#pragma once

#include "tram/cli/verb.h"

namespace tram::server {

// Runs the broker until it is told to stop. Exit codes: 0 after a graceful stop, 1 if it could
// not start, 2 if an option is wrong.
int run_serve(int argc, char** argv);

// Lists the options: one a line, or as docs/options.md with --markdown.
int run_options(int argc, char** argv);

// Both, for the command line.
std::vector<cli::ExtraVerb> server_verbs();

}  // namespace tram::server
