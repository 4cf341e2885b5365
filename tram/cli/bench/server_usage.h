// What a process has used so far, as the kernel counts it.
#pragma once

#include <cstdint>
#include <optional>

namespace tram::cli::bench {

struct ServerUsage {
  double cpu_seconds = 0;
  uint64_t memory_bytes = 0;  // resident
};

// Sums the threads' run times to the nanosecond (schedstat), or, where the kernel does not
// keep them, takes utime + stime in their hundredths of a second. Nothing if there is no such
// process or we may not look.
std::optional<ServerUsage> usage_of(uint64_t pid);

}  // namespace tram::cli::bench
