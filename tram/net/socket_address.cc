#include "tram/net/socket_address.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace tram::net {

namespace {

std::string with_port(std::string host, uint16_t port) {
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return host + ":" + std::to_string(port);
}

}  // namespace

std::string SocketAddress::text() const {
  return is_unix() ? "unix:" + path : with_port(host, port);
}

base::Result<SocketAddress> SocketAddress::parse(base::BytesView text) {
  auto refuse = [&](const char* why) {
    return base::failure(base::Errc::invalid_argument, std::string(text) + ": " + why);
  };
  SocketAddress address;
  if (text.starts_with("unix:")) {
    address.path = text.substr(5);
    if (address.path.empty()) return refuse("a path is missing after unix:");
    if (address.path.size() >= sizeof(sockaddr_un::sun_path)) return refuse("the path is too long");
    if (address.path.find('\0') != std::string::npos) return refuse("a path has no zero byte");
    return address;
  }
  size_t colon = text.rfind(':');
  if (colon == base::BytesView::npos) return refuse("an address is host:port or unix:/path");
  base::BytesView host = text.substr(0, colon);
  base::BytesView port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != base::BytesView::npos)
    return refuse("an IPv6 address stands in brackets: [::1]:7000");
  if (host.empty()) return refuse("the host is missing");
  for (char c : host)
    if (static_cast<unsigned char>(c) <= ' ' || c == 127) return refuse("a host has no spaces");
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size())
    return refuse("a port is a number up to 65535");
  address.host = host;
  return address;
}

std::string text_of(const sockaddr& address, size_t size) {
  char host[INET6_ADDRSTRLEN] = "";
  switch (address.sa_family) {
    case AF_INET: {
      sockaddr_in in{};
      std::memcpy(&in, &address, std::min(size, sizeof in));
      ::inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
      return with_port(host, ntohs(in.sin_port));
    }
    case AF_INET6: {
      sockaddr_in6 in{};
      std::memcpy(&in, &address, std::min(size, sizeof in));
      ::inet_ntop(AF_INET6, &in.sin6_addr, host, sizeof host);
      return with_port(host, ntohs(in.sin6_port));
    }
    case AF_UNIX: {
      const auto* path = reinterpret_cast<const char*>(&address) + offsetof(sockaddr_un, sun_path);
      size_t most = size - std::min(size, offsetof(sockaddr_un, sun_path));
      return "unix:" + std::string(path, ::strnlen(path, most));
    }
    default:
      return "unknown";
  }
}

std::string local_address_of(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(socket, address, &size) != 0) return "unknown";
  return text_of(*address, size);
}

}  // namespace tram::net
