// `tram`: every verb of the command line, and those of the server.
#include "tram/cli/run_cli.h"
#include "tram/server/serve.h"

int main(int argc, char** argv) {
  return tram::cli::run_cli(argc, argv, tram::server::server_verbs());
}
