// Who we are, and whom we trust.
#pragma once

#include <string>

#include "tram/base/time.h"

namespace tram::net {

// Files are PEM, and read when they are given: see Peer::renew_tls for when they change.
struct TlsOptions {
  // Our certificate, and after it those between it and its authority. Whoever listens needs one;
  // whoever dials shows it if it is asked to.
  std::string certificate = {};
  // Its key, not encrypted.
  std::string key = {};
  // Those whose word we take for who somebody is. Empty: the system's authorities, which is for
  // dialling only: anybody can get a certificate from one of them.
  std::string authorities = {};
  // Whoever dials us must show a certificate that `authorities` vouch for. Otherwise none is asked
  // for, and anybody may talk to us, safe from others' ears.
  bool mutual = true;
  // The name that the certificate of whoever we dial must carry, among its alternative names: its
  // subject is not looked at. Empty: the host of the address. Needed for Unix sockets, which have
  // none.
  std::string server_name = {};
  // From the connection to the end of the handshake.
  base::Duration handshake_max = std::chrono::seconds(5);
};

}  // namespace tram::net
