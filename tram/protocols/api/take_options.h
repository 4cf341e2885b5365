// What a take may ask for, on every door: as JSON here, as a query in HTTP.
#pragma once

#include <cstdint>

#include "tram/base/bytes.h"
#include "tram/base/result.h"
#include "tram/base/time.h"
#include "tram/broker/limits.h"

namespace tram::protocols::api {

struct TakeOptions {
  uint32_t count = 1;
  base::Duration wait;
  base::Duration linger;
  base::Duration lease = std::chrono::seconds(30);
};

// The state machine's own limits, in the units of the doors.
constexpr uint64_t take_count_max = broker::Limits::take_count_max;
constexpr uint64_t wait_ms_max =
    static_cast<uint64_t>(broker::Limits::take_wait_max.milliseconds());
constexpr uint64_t linger_ms_max = wait_ms_max;
constexpr uint64_t lease_ms_max = static_cast<uint64_t>(broker::Limits::lease_max.milliseconds());

// {"n":1,"wait_ms":0,"linger_ms":0,"lease_ms":30000}: all optional, an empty body too.
// Errors: invalid_json; invalid_argument, naming the member and what it may be.
base::Result<TakeOptions> parse_take_options(base::BytesView json);

}  // namespace tram::protocols::api
