#include "tram/server/open_files.h"

#include <sys/resource.h>

namespace tram::server {

namespace {

// Standard streams, listeners, the log, a file being read or written, and some air.
constexpr uint64_t own_files = 16;
// epoll, its timer and its wake-up.
constexpr uint64_t files_per_loop = 4;

}  // namespace

uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised{limit.rlim_max, limit.rlim_max};
    // Where it is not allowed (some sandboxes), the old limit simply stays.
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

uint64_t connections_that_fit(uint64_t open_files, uint64_t loops) {
  uint64_t own = own_files + files_per_loop * loops;
  return open_files > own ? open_files - own : 1;
}

}  // namespace tram::server
