// What a take may ask for, on every door: as JSON here, as a query in HTTP.
#pragma once

#include <cstdint>

#include "tram/base/bytes.h"
#include "tram/base/result.h"
#include "tram/base/time.h"

namespace tram::protocols::api {

struct TakeOptions {
  uint32_t count = 1;
  base::Duration wait;
  base::Duration linger;
  base::Duration lease = std::chrono::seconds(30);
};

constexpr uint64_t take_count_max = 10'000;
constexpr uint64_t wait_ms_max = 86'400'000;  // A day.
constexpr uint64_t linger_ms_max = 60'000;
constexpr uint64_t lease_ms_max = 7 * wait_ms_max;

// {"n":1,"wait_ms":0,"linger_ms":0,"lease_ms":30000}: all optional, an empty body too.
// Errors: invalid_json; invalid_argument, naming the member and what it may be.
base::Result<TakeOptions> parse_take_options(base::BytesView json);

}  // namespace tram::protocols::api
