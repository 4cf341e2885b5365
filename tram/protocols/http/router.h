// The table of everything that this door answers: method and path, and who does it.
//
// The whole table is in router.cc: it is used to find a request's handler, to say 405 with what
// is allowed, to name requests in metrics, and to hold the OpenAPI file against (openapi_test.cc).
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tram/protocols/http/request_head.h"

namespace tram::protocols::http {

class Exchange;

// How large a request's body may be, and whose manners its errors have.
enum class Body : uint8_t { none, message, json, message_or_lines, json_or_lines };
enum class Manners : uint8_t { gopher, tram };

struct Route {
  Method method;
  std::string_view path;  // "/v1/queues/{queue}": words in braces are parameters.
  std::string_view name;  // In metrics, and as the operationId of OpenAPI.
  Body body;
  bool open;  // Answered without a password.
  void (*handle)(Exchange&);
  std::vector<int> statuses;  // What the handler may answer, besides what any request may be.
};

// Everything under /v1 has ours; the rest answers as GopherMQ would.
Manners manners_of(BytesView path);

std::span<const Route> all_routes();
// Places after the last route, for metrics: OPTIONS, and what is no route.
size_t place_of_options();
size_t place_of_unknown();
std::string_view name_of_route(size_t place);

constexpr size_t parameters_max = 2;

struct Match {
  const Route* route = nullptr;  // nullptr: 404, or 405 if `allowed` is not empty.
  std::array<BytesView, parameters_max> parameters;  // As sent, still encoded.
  std::string allowed;  // "OPTIONS, DELETE, POST": what the path takes, if not this method.
};
// HEAD is answered by whoever answers GET.
Match match(Method method, BytesView path);

}  // namespace tram::protocols::http
