#include "tram/client/handshake.h"

#include <algorithm>
#include <boost/json.hpp>

namespace tram::client {

using base::BytesView;
using base::Errc;
using base::failure;
using base::Result;
namespace json = boost::json;

Result<ServerInfo> parse_info(BytesView text) {
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return failure(Errc::protocol_error, "the server's INFO is not JSON");

  ServerInfo info;
  auto text_of = [&](const char* key) {
    const json::value* found = object->if_contains(key);
    const json::string* string = found != nullptr ? found->if_string() : nullptr;
    return string != nullptr ? std::string(string->data(), string->size()) : std::string();
  };
  auto number_of = [&](const char* key, uint64_t otherwise) {
    const json::value* found = object->if_contains(key);
    const int64_t* number = found != nullptr ? found->if_int64() : nullptr;
    return number != nullptr && *number > 0 ? static_cast<uint64_t>(*number) : otherwise;
  };
  auto is_true = [&](const char* key) {
    const json::value* found = object->if_contains(key);
    const bool* flag = found != nullptr ? found->if_bool() : nullptr;
    return flag != nullptr && *flag;
  };
  info.name = text_of("server_name");
  info.version = text_of("version");
  info.payload_bytes_max = number_of("max_payload", info.payload_bytes_max);
  info.client_id = number_of("client_id", 0);
  info.headers = is_true("headers");
  info.tls_required = is_true("tls_required");
  info.lame_duck = is_true("ldm");
  if (const json::value* urls = object->if_contains("connect_urls"); urls && urls->if_array()) {
    for (const json::value& url : *urls->if_array()) {
      if (const json::string* string = url.if_string()) {
        info.connect_urls.emplace_back(string->data(), string->size());
      }
    }
  }
  return info;
}

std::string connect_line(const Introduction& introduction, const Address& address) {
  json::object object{
      {"verbose", false},
      {"pedantic", false},
      {"tls_required", false},
      {"name", introduction.name},
      {"lang", "c++"},
      {"version", "0.1.0"},
      {"protocol", 1},
      {"echo", introduction.echo},
      {"headers", introduction.headers},
      {"no_responders", introduction.headers},
  };
  if (!address.user.empty() || !address.password.empty()) {
    object["user"] = address.user;
    object["pass"] = address.password;
  }
  if (!address.token.empty()) object["auth_token"] = address.token;
  return "CONNECT " + json::serialize(object);
}

base::Error error_from_server(BytesView text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  auto says = [&](std::string_view words) { return lower.find(words) != std::string::npos; };
  auto error = [&](Errc code) {
    return base::Error{code, "the server says: " + std::string(text)};
  };

  if (says("authorization") || says("authentication") || says("permissions violation")) {
    return error(Errc::unauthorized);
  }
  if (says("maximum payload")) return error(Errc::message_too_large);
  if (says("maximum control line")) return error(Errc::request_too_large);
  if (says("maximum")) return error(Errc::limit_reached);  // connections, subscriptions
  if (says("subject")) return error(Errc::invalid_subject);
  if (says("slow consumer")) return error(Errc::overloaded);
  if (says("stale connection")) return error(Errc::connection_lost);
  if (says("shutdown")) return error(Errc::shutting_down);
  if (says("header")) return error(Errc::invalid_header);
  return error(Errc::protocol_error);
}

}  // namespace tram::client
