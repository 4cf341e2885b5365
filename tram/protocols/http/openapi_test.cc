#include "tram/protocols/http/openapi.h"

#include <algorithm>
#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <map>
#include <set>

#include "tram/protocols/http/error_status.h"
#include "tram/protocols/http/request_counters.h"
#include "tram/protocols/http/router.h"

using namespace tram::protocols::http;
namespace json = boost::json;

namespace {

struct Described {
  std::string name;
  std::set<int> statuses;
  bool operator==(const Described&) const = default;
};
using Description = std::map<std::string, Described>;  // By "POST /path".

Description from_file() {
  Description all;
  json::string_view text(openapi_json().data(), openapi_json().size());
  json::object file = json::parse(text).as_object();
  for (const auto& [path, methods] : file.at("paths").as_object())
    for (const auto& [method, operation] : methods.as_object()) {
      std::string key(method);
      std::transform(key.begin(), key.end(), key.begin(),
                     [](char c) { return static_cast<char>(c - 32); });
      Described& one = all[key + " " + std::string(path)];
      one.name = operation.as_object().at("operationId").as_string().c_str();
      for (const auto& response : operation.as_object().at("responses").as_object())
        one.statuses.insert(std::stoi(std::string(response.key())));
    }
  return all;
}

Description from_table() {
  Description all;
  for (const Route& route : all_routes())
    all[std::string(name_of(route.method)) + " " + std::string(route.path)] = {
        std::string(route.name), {route.statuses.begin(), route.statuses.end()}};
  return all;
}

}  // namespace

TEST_CASE("what the OpenAPI file describes is what the door answers, both ways") {
  Description file = from_file();
  Description table = from_table();
  for (const auto& [key, described] : table) {
    REQUIRE_MESSAGE(file.contains(key), key);
    CHECK_MESSAGE(file[key].name == described.name, key);
    CHECK_MESSAGE(file[key].statuses == described.statuses, key);
  }
  for (const auto& [key, described] : file) CHECK_MESSAGE(table.contains(key), key);
}

TEST_CASE("every reference in the OpenAPI file leads somewhere") {
  json::string_view text(openapi_json().data(), openapi_json().size());
  json::object file = json::parse(text).as_object();
  const json::object& schemas = file.at("components").as_object().at("schemas").as_object();
  std::string_view prefix = "#/components/schemas/";
  for (size_t at = 0; (at = openapi_json().find(prefix, at)) != std::string_view::npos;) {
    at += prefix.size();
    std::string_view name = openapi_json().substr(at, openapi_json().find('"', at) - at);
    CHECK_MESSAGE(schemas.contains(json::string_view(name.data(), name.size())), name);
  }
}

TEST_CASE("every status that can be answered has a reason and a place in the metrics") {
  auto counted = [](int status) {
    const auto& all = RequestCounters::statuses;
    return std::find(all.begin(), all.end(), status) != all.end();
  };
  for (const Route& route : all_routes())
    for (int status : route.statuses) {
      CHECK_MESSAGE(counted(status), status);
      CHECK_MESSAGE(reason_of(status) != "Unknown", status);
    }
#define TRAM_CHECK_STATUS(code, sentence)            \
  CHECK(counted(status_of(tram::base::Errc::code))); \
  CHECK(reason_of(status_of(tram::base::Errc::code)) != "Unknown");
  TRAM_ERRORS(TRAM_CHECK_STATUS)
#undef TRAM_CHECK_STATUS
  CHECK(all_routes().size() + 2 <= RequestCounters::routes_max);
}

TEST_CASE("a request finds its route, its parameters, or what its path allows") {
  Match found = match(Method::post, "/v1/queues/a%2Fb/messages/17/ack");
  REQUIRE(found.route);
  CHECK(found.route->name == "ackMessage");
  CHECK(found.parameters[0] == "a%2Fb");
  CHECK(found.parameters[1] == "17");
  CHECK(match(Method::head, "/healthz").route->name == "healthz");
  CHECK(match(Method::get, "/v1/queues").route->name == "listQueues");
  CHECK(match(Method::get, "/v1/queues/get").route->name == "showQueue");
  CHECK(match(Method::put, "/v1/queues/x").allowed == "OPTIONS, DELETE, GET, HEAD, POST");
  CHECK(match(Method::get, "/api/publish").allowed == "OPTIONS, POST");
  for (std::string_view path : {"", "*", "/v1", "/v1/queues/", "/v1/queues/a/b", "/healthz/",
                                "/v1/queues//get", "//healthz", "/v1/publish/a/b"}) {
    Match none = match(Method::post, path);
    CHECK_MESSAGE(!none.route, path);
    CHECK_MESSAGE(none.allowed.empty(), path);
  }
}
