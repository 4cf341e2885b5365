// Where a broker is and who we are to it, read from what people type:
//
//   nats://user:password@host:4222   nats://token@host   tcp://host:4222   host:4222   host
//   [::1]:4222
//
// Several, joined by commas, are alternatives: the client tries them in turn.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tram/base/result.h"

namespace tram::client {

struct Address {
  std::string host = {};
  std::string port = "4222";
  std::string user = {};
  std::string password = {};
  std::string token = {};  // what stands before @ when there is no colon

  // nats://host:port, without the secrets: for people and for logs.
  std::string text() const;
  bool same_place(const Address& other) const { return host == other.host && port == other.port; }
};

// At least one address. Errors: invalid_argument, saying which part is wrong; tls:// is
// refused by name, because this client does not speak TLS.
base::Result<std::vector<Address>> parse_addresses(std::string_view list);
base::Result<Address> parse_address(std::string_view text);

}  // namespace tram::client
