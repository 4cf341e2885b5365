// What the operating system says about this process, for metrics.
#pragma once

#include <cstdint>

namespace tram::server {

struct ProcessStats {
  uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
  uint64_t open_files = 0;
  uint64_t open_files_max = 0;
};

// What cannot be read stays 0. Costs some tens of microseconds.
ProcessStats read_process_stats();

}  // namespace tram::server
