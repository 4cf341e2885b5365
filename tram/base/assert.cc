#include "tram/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace tram::base {

void assertion_failed(const char* condition, const char* file, int line,
                      const std::string& values) {
  std::fprintf(stderr, "tram: assertion failed: %s at %s:%d %s\n", condition, file, line,
               values.c_str());
  std::abort();
}

}  // namespace tram::base
