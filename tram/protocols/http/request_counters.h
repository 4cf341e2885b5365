// How many requests there were of each kind, how they were answered, and how long that took.
//
// Written by the door's loop, read by anybody. A pair of route and status costs memory from its
// first request on.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string_view>

#include "tram/base/counter.h"

namespace tram::protocols::http {

class RequestCounters {
 public:
  struct Cell {
    base::Counter count;
    base::LatencyHistogram latency;
  };

  RequestCounters() = default;
  RequestCounters(const RequestCounters&) = delete;
  RequestCounters& operator=(const RequestCounters&) = delete;
  ~RequestCounters();

  // `route` is a place in the table of routes (router.h), or one of its two last.
  void record(size_t route, int status, base::Duration took);

  // Calls `see` for each route and status that occurred, in the table's order. `route` is its
  // name, such as "publish".
  void each(const std::function<void(std::string_view route, int status, const Cell&)>& see) const;

  static constexpr size_t routes_max = 48;
  static constexpr std::array<int, 25> statuses = {101, 200, 201, 204, 400, 401, 403, 404, 405,
                                                   408, 409, 413, 414, 415, 417, 426, 429, 431,
                                                   499, 500, 501, 503, 504, 505, 0};

 private:
  std::array<std::array<std::atomic<Cell*>, statuses.size()>, routes_max> cells_{};
};

}  // namespace tram::protocols::http
