// The operating system's limit on open files: each connection takes one.
#pragma once

#include <cstdint>

namespace tram::server {

// Raises this process's limit to what it may have, and returns that.
uint64_t raise_open_files_limit();

// How many connections fit under `open_files` when the program itself, with `loops` event loops
// and its listeners, has taken what it needs. At least 1.
uint64_t connections_that_fit(uint64_t open_files, uint64_t loops);

}  // namespace tram::server
