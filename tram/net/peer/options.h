// What a Peer is told when it is opened, and the numbers it keeps.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tram/base/backoff.h"
#include "tram/base/result.h"
#include "tram/net/peer/datagram.h"
#include "tram/net/tls/options.h"

namespace tram::base {
class LogSink;
}

namespace tram::net {

// What has become of a message when its sender is told that all is well.
enum class Confirm {
  // The kernel of this machine has its bytes. It arrives unless the connection, either machine or
  // the other program ends first; then it may be lost, and nobody is told. Works with every peer.
  handed,
  // The other Peer has given it to its program: the callback has returned, or it is in the inbox.
  // Asks for one number back per write: for peers that are Tram's. Others take it for garbage, and
  // Go's proletariat ends (docs/peer.md).
  received,
};

// Messages sent without anybody to tell, that were not confirmed.
struct Loss {
  BytesView address = {};
  uint64_t messages = 0;
  base::Error error = {};
};

struct PeerOptions {
  // Where to listen: "127.0.0.1:0" (0: any free port), "[::]:7000", "unix:/run/me.sock". None: it
  // only dials, and receives what comes back on what it dialled.
  std::vector<std::string> listen = {};

  // Set: TLS 1.2 or 1.3 on every connection, dialled or accepted. Whoever is dialled must show a
  // certificate with the name that was dialled.
  std::optional<TlsOptions> tls = {};

  Confirm confirm = Confirm::handed;
  // Called on the loop's thread for each datagram, which lasts as long as the call. Not set:
  // datagrams go to the inbox, for `receive`.
  std::move_only_function<void(const Datagram&)> on_datagram = {};
  // Called on the loop's thread.
  std::move_only_function<void(const Loss&)> on_loss = {};

  // Bytes of one message, sent or received.
  size_t message_max = size_t{16} << 20;
  // Accepted, dialled and being dialled; those whose handshake goes on count. Beyond it an accepted
  // one is closed at once, a message that needs a new one is told limit_reached. Also how many
  // addresses are remembered.
  size_t connections_max = 10'000;
  // More than one: another is dialled when more than `spread_min` bytes wait for those that there
  // are. Order is kept within one connection, so with more than one there is no order between all.
  size_t connections_per_address = 1;
  size_t spread_min = size_t{256} << 10;
  // Bytes of messages to one address that are not confirmed yet. Beyond it senders wait, or are
  // told overloaded. A message that is larger is taken when nothing else waits.
  size_t waiting_max = size_t{8} << 20;
  // Bytes of datagrams in the inbox. Beyond it nothing is read, so those who send to us wait.
  size_t inbox_max = size_t{64} << 20;

  // For finding an address and connecting to it.
  base::Duration dial_max = std::chrono::seconds(5);
  // From the first byte of a message to its last.
  base::Duration read_max = std::chrono::seconds(30);
  // With bytes to write and none written; and, with Confirm::received, with messages written and
  // none confirmed: the connection is closed, and what was on it is told timed_out.
  base::Duration write_max = std::chrono::seconds(10);
  // A connection that we dialled, and that nothing was sent or received on, is closed.
  base::Duration idle_max = std::chrono::seconds(60);
  // An accepted connection that nothing was sent or received on, is closed. A message may be on its
  // way on it, and is lost then, so this should be longer than the others' idle_max.
  base::Duration accepted_idle_max = base::Duration::forever();
  // How long messages wait for an address that cannot be reached, before they are told so. Zero:
  // the first failure is final.
  base::Duration unreachable_max = std::chrono::seconds(5);
  // How long `close` goes on writing.
  base::Duration close_max = std::chrono::seconds(2);
  // Between attempts to connect.
  base::Backoff backoff = {.first = std::chrono::milliseconds(20), .most = std::chrono::seconds(5)};
  uint64_t seed = 1;  // For the jitter.
  base::LogSink* log = nullptr;
};

// Counted since it was opened, but for those that say "now".
struct PeerStats {
  uint64_t connections = 0;  // Now.
  uint64_t addresses = 0;    // Now remembered.
  uint64_t accepted = 0;
  uint64_t refused = 0;  // Accepted beyond connections_max, and closed at once.
  uint64_t dialled = 0;  // Successfully.
  uint64_t dials_failed = 0;
  uint64_t messages_sent = 0;  // Confirmed.
  uint64_t bytes_sent = 0;     // Of them, as they are on the wire.
  uint64_t messages_lost = 0;  // Not confirmed, and told so.
  uint64_t messages_received = 0;
  uint64_t bytes_received = 0;  // Of their payloads.
  // Connections closed for what came on them, or did not in time; failed handshakes among them.
  uint64_t faults = 0;
  uint64_t pauses = 0;  // Readings held back by a full inbox.
};

}  // namespace tram::net
