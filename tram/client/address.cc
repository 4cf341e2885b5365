#include "tram/client/address.h"

#include <charconv>
#include <fmt/core.h>

namespace tram::client {

using base::Errc;
using base::failure;
using base::Result;

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    bool whole = i + 2 < text.size();
    int high = whole ? hex_digit(text[i + 1]) : -1;
    int low = whole ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return failure(Errc::invalid_argument,
                     "a % in a server's address is followed by two hex digits");
    }
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

bool valid_port(std::string_view text) {
  unsigned port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool valid_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  for (char c : host) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 127 || c == '/' || c == '?' || c == '#') {
      return false;
    }
  }
  return true;
}

Result<> read_user(std::string_view text, Address& address) {
  size_t colon = text.find(':');
  auto first = percent_decoded(text.substr(0, colon));
  if (!first) return std::unexpected(first.error());
  if (colon == std::string_view::npos) {
    address.token = *first;
    return {};
  }
  auto second = percent_decoded(text.substr(colon + 1));
  if (!second) return std::unexpected(second.error());
  address.user = *first;
  address.password = *second;
  return {};
}

}  // namespace

std::string Address::text() const {
  bool bare_v6 = host.find(':') != std::string::npos;
  return fmt::format("nats://{}{}{}:{}", bare_v6 ? "[" : "", host, bare_v6 ? "]" : "", port);
}

Result<Address> parse_address(std::string_view text) {
  std::string whole(text);
  if (size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    std::string_view name = text.substr(0, scheme);
    if (name == "tls") {
      return failure(
          Errc::invalid_argument,
          "this client does not speak TLS: use nats:// and a tunnel instead of " + whole);
    }
    if (name != "nats" && name != "tcp") {
      return failure(
          Errc::invalid_argument,
          fmt::format("a server's address starts with nats:// or tcp://, not {}://", name));
    }
    text.remove_prefix(scheme + 3);
  }
  Address address;
  // The last @: a password may hold one, a host may not.
  if (size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (auto read = read_user(text.substr(0, at), address); !read) {
      return std::unexpected(read.error());
    }
    text.remove_prefix(at + 1);
  }
  if (text.ends_with('/')) text.remove_suffix(1);

  std::string_view port;
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return failure(Errc::invalid_argument, "a [ without ] in the server's address " + whole);
    }
    address.host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) {
      return failure(Errc::invalid_argument,
                     "after ] comes :port in the server's address " + whole);
    }
    if (!rest.empty()) port = rest.substr(1);
    if (!rest.empty() && port.empty()) port = "?";
  } else {
    size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
      return failure(Errc::invalid_argument,
                     "an IPv6 address is written in brackets, [::1]:4222, not " + whole);
    }
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) {
      port = text.substr(colon + 1);
      if (port.empty()) port = "?";
    }
  }
  if (!valid_host(address.host)) {
    return failure(Errc::invalid_argument,
                   "there is no host in the server's address '" + whole + "'");
  }
  if (!port.empty()) {
    if (!valid_port(port)) {
      return failure(Errc::invalid_argument,
                     "a port is a number from 1 to 65535 in the server's address " + whole);
    }
    address.port = port;
  }
  return address;
}

Result<std::vector<Address>> parse_addresses(std::string_view list) {
  std::vector<Address> addresses;
  while (true) {
    size_t comma = list.find(',');
    auto address = parse_address(list.substr(0, comma));
    if (!address) return std::unexpected(address.error());
    addresses.push_back(std::move(*address));
    if (comma == std::string_view::npos) return addresses;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace tram::client
