// For tests of Peers: opened, and asked for what comes next, with whatever goes wrong a failure of
// the test that says why.
#pragma once

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <utility>

#include "tram/base/system_clock.h"
#include "tram/net/peer.h"

namespace tram::net::testing {

inline const base::SystemClock clock_of_tests;  // Has no state.

// A Peer with a thread of its own.
inline std::unique_ptr<Peer> open(PeerOptions options = {}) {
  auto peer = Peer::open(std::move(options), clock_of_tests);
  REQUIRE_MESSAGE(peer, peer.error().text());
  return std::move(*peer);
}

// One that listens, at 127.0.0.1 unless `options` say where.
inline std::unique_ptr<Peer> listening(PeerOptions options = {}) {
  if (options.listen.empty()) options.listen = {"127.0.0.1:0"};
  return open(std::move(options));
}

// Waits up to ten seconds for a datagram: whatever it is; a message; an error.
inline Datagram next(Peer& peer) {
  auto datagram = peer.receive(std::chrono::seconds(10));
  REQUIRE_MESSAGE(datagram, datagram.error().text());
  return *datagram;
}
inline std::string next_text(Peer& peer) {
  Datagram datagram = next(peer);
  REQUIRE_MESSAGE(!datagram.error, datagram.error->text());
  return std::string(datagram.data);
}
inline base::Errc next_error(Peer& peer) {
  Datagram datagram = next(peer);
  REQUIRE(datagram.error);
  return datagram.error->code;
}

}  // namespace tram::net::testing
