// What somebody who starts the broker at a terminal sees: the open doors, a command to try on
// each, and how to stop.
#pragma once

#include <string>
#include <vector>

#include "tram/server/ports_file.h"

namespace tram::server {

// `program` is what was typed to start it, such as "build/release/tram".
std::string banner(std::string_view version, const std::vector<OpenDoor>& doors,
                   std::string_view program);

// The first word of this process's command line.
std::string program_name();

}  // namespace tram::server
