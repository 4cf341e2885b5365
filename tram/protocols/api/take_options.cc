#include "tram/protocols/api/take_options.h"

#include "tram/protocols/api/json_request.h"

namespace tram::protocols::api {

Result<TakeOptions> parse_take_options(BytesView json) {
  TakeOptions options;
  uint64_t count = options.count;
  JsonRequest request = JsonRequest::parse(json);
  request.number("n", 1, take_count_max, count);
  request.milliseconds("wait_ms", 0, wait_ms_max, options.wait);
  request.milliseconds("linger_ms", 0, linger_ms_max, options.linger);
  request.milliseconds("lease_ms", 1, lease_ms_max, options.lease);
  if (Result<> read = request.finish(); !read) return std::unexpected(read.error());
  options.count = static_cast<uint32_t>(count);
  return options;
}

}  // namespace tram::protocols::api
