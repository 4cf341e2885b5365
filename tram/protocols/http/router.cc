#include "tram/protocols/http/router.h"

#include <algorithm>

#include "tram/protocols/http/request_counters.h"
#include "tram/protocols/http/routes/routes.h"

namespace tram::protocols::http {

namespace {

// GopherMQ's come first: they are the ones measured against it.
const std::vector<Route>& table() {
  using enum Method;
  static const std::vector<Route> routes = {
      {post,
       "/api/publish",
       "publish",
       Body::json,
       false,
       routes::gopher_publish,
       {200, 400, 404, 429}},
      {post, "/api/fetch", "fetch", Body::json, false, routes::gopher_fetch, {200, 400, 404, 500}},
      {post,
       "/api/publish/async",
       "publish_async",
       Body::json,
       false,
       routes::gopher_publish_async,
       {200, 400, 429}},
      {post,
       "/api/subscribe",
       "subscribe",
       Body::json,
       false,
       routes::gopher_subscribe,
       {200, 400, 429}},
      {delete_,
       "/api/subscribe",
       "unsubscribe",
       Body::json,
       false,
       routes::gopher_unsubscribe,
       {200, 400, 404}},
      {get, "/ready", "ready", Body::none, true, routes::ready, {204}},

      {post,
       "/v1/publish/{subject}",
       "publishMessage",
       Body::message,
       false,
       routes::publish_message,
       {200, 400, 413}},
      {post,
       "/v1/publish",
       "publishMessages",
       Body::json_or_lines,
       false,
       routes::publish_messages,
       {200, 400, 413, 415}},
      {post,
       "/v1/request/{subject}",
       "request",
       Body::message,
       false,
       routes::request,
       {200, 400, 413, 503, 504}},
      {get,
       "/v1/subscribe",
       "subscribeToMessages",
       Body::none,
       false,
       routes::subscribe,
       {101, 200, 400, 403, 426, 429}},

      {post,
       "/v1/mailboxes",
       "openMailbox",
       Body::json,
       false,
       routes::open_mailbox,
       {201, 400, 429}},
      {post,
       "/v1/mailboxes/{mailbox}/fetch",
       "fetchMailbox",
       Body::none,
       false,
       routes::fetch_mailbox,
       {200, 400, 404}},
      {delete_,
       "/v1/mailboxes/{mailbox}",
       "closeMailbox",
       Body::none,
       false,
       routes::close_mailbox,
       {204, 404}},

      {post,
       "/v1/queues/{queue}",
       "putMessage",
       Body::message_or_lines,
       false,
       routes::put_message,
       {200, 400, 413, 429}},
      {post,
       "/v1/queues/{queue}/get",
       "getMessage",
       Body::none,
       false,
       routes::get_message,
       {200, 204, 400, 429, 503}},
      {post,
       "/v1/queues/{queue}/take",
       "takeMessages",
       Body::json,
       false,
       routes::take_messages,
       {200, 204, 400, 429, 503}},
      {post,
       "/v1/queues/{queue}/messages/{id}/ack",
       "ackMessage",
       Body::json,
       false,
       routes::ack_message,
       {200, 400, 404, 409}},
      {post,
       "/v1/queues/{queue}/messages/{id}/release",
       "releaseMessage",
       Body::json,
       false,
       routes::release_message,
       {200, 400, 404, 409}},
      {post,
       "/v1/queues/{queue}/messages/{id}/extend",
       "extendLease",
       Body::json,
       false,
       routes::extend_lease,
       {200, 400, 404, 409}},
      {get, "/v1/queues", "listQueues", Body::none, false, routes::list_queues, {200, 400}},
      {get,
       "/v1/queues/{queue}",
       "showQueue",
       Body::none,
       false,
       routes::show_queue,
       {200, 400, 404}},
      {delete_,
       "/v1/queues/{queue}",
       "deleteQueue",
       Body::none,
       false,
       routes::delete_queue,
       {200, 400, 404}},
      {post,
       "/v1/queues/{queue}/purge",
       "purgeQueue",
       Body::none,
       false,
       routes::purge_queue,
       {200, 400, 404}},

      {get, "/v1/openapi.json", "openapi", Body::none, false, routes::openapi, {200}},
      {get, "/healthz", "healthz", Body::none, true, routes::healthz, {200}},
      {get, "/readyz", "readyz", Body::none, true, routes::readyz, {200, 503}},
      {get, "/metrics", "metrics", Body::none, false, routes::metrics, {200}},
      {get, "/", "about", Body::none, true, routes::about, {200}},
  };
  return routes;
}

// Does `path` follow `pattern`? Segments are compared as sent: only a parameter may be encoded,
// and it may not be empty.
bool follows(BytesView path, BytesView pattern, std::array<BytesView, parameters_max>& parameters) {
  size_t found = 0;
  while (true) {
    size_t brace = pattern.find('{');
    if (brace == BytesView::npos) return path == pattern;
    if (!path.starts_with(pattern.substr(0, brace))) return false;
    path.remove_prefix(brace);
    pattern.remove_prefix(pattern.find('}') + 1);
    size_t end = std::min(path.find('/'), path.size());
    if (end == 0) return false;
    parameters[found++] = path.substr(0, end);
    path.remove_prefix(end);
  }
}

std::string allowed_methods(BytesView path) {
  std::vector<std::string_view> methods;
  std::array<BytesView, parameters_max> ignored;
  for (const Route& route : table()) {
    if (!follows(path, route.path, ignored)) continue;
    methods.push_back(name_of(route.method));
    if (route.method == Method::get) methods.push_back(name_of(Method::head));
  }
  if (methods.empty()) return {};
  std::sort(methods.begin(), methods.end());
  std::string allowed = "OPTIONS";
  for (std::string_view method : methods) allowed.append(", ").append(method);
  return allowed;
}

}  // namespace

Manners manners_of(BytesView path) {
  return path == "/v1" || path.starts_with("/v1/") ? Manners::tram : Manners::gopher;
}

std::span<const Route> all_routes() { return table(); }
size_t place_of_options() { return table().size(); }
size_t place_of_unknown() { return table().size() + 1; }

std::string_view name_of_route(size_t place) {
  if (place < table().size()) return table()[place].name;
  return place == place_of_options() ? "options" : "unknown";
}

Match match(Method method, BytesView path) {
  Match found;
  if (method == Method::head) method = Method::get;
  for (const Route& route : table()) {
    if (route.method != method || !follows(path, route.path, found.parameters)) continue;
    found.route = &route;
    return found;
  }
  found.allowed = allowed_methods(path);
  return found;
}

}  // namespace tram::protocols::http
