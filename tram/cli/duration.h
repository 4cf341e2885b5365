// Durations as people type them: 500ms, 5s, 1m, 2h, 1m30s; 250us. A bare 0 is fine, any
// other bare number is not: it could be seconds or milliseconds.
#pragma once

#include <string>
#include <string_view>

#include "tram/base/result.h"
#include "tram/base/time.h"

namespace tram::cli {

// Errors: invalid_argument.
base::Result<base::Duration> parse_duration(std::string_view text);
// For people, to three or four digits: "1.5s", "340ms", "3m20s".
std::string show_duration(base::Duration duration);

}  // namespace tram::cli
