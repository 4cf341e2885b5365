#include "tram/protocols/nats/connect.h"

#include <boost/json.hpp>

namespace tram::protocols::nats {

namespace json = boost::json;

namespace {

// False when the member is there and of another kind.
bool read(const json::object& object, std::string_view name, bool& value) {
  const json::value* member = object.if_contains(name);
  if (member == nullptr || member->is_null()) return true;
  if (!member->is_bool()) return false;
  value = member->get_bool();
  return true;
}

bool read(const json::object& object, std::string_view name, std::string& value) {
  const json::value* member = object.if_contains(name);
  if (member == nullptr || member->is_null()) return true;
  if (!member->is_string()) return false;
  value.assign(member->get_string().begin(), member->get_string().end());
  return true;
}

bool read(const json::object& object, std::string_view name, uint32_t& value) {
  const json::value* member = object.if_contains(name);
  if (member == nullptr || member->is_null()) return true;
  if (!member->is_int64() || member->get_int64() < 0 || member->get_int64() > 1000) return false;
  value = static_cast<uint32_t>(member->get_int64());
  return true;
}

}  // namespace

std::optional<Connect> parse_connect(base::BytesView text, const ConnectOptions& before) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  Connect connect{before, {}};
  ConnectOptions& options = connect.options;
  Credentials& credentials = connect.credentials;
  bool good =
      read(object, "verbose", options.verbose) && read(object, "pedantic", options.pedantic) &&
      read(object, "echo", options.echo) && read(object, "headers", options.headers) &&
      read(object, "no_responders", options.no_responders) &&
      read(object, "protocol", options.protocol) && read(object, "user", credentials.user) &&
      read(object, "pass", credentials.password) && read(object, "auth_token", credentials.token);
  if (!good) return std::nullopt;
  return connect;
}

}  // namespace tram::protocols::nats
