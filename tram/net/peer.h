// Messages between programs, without a broker.
//
//   auto a = Peer::open({.listen = {"127.0.0.1:7000"}}, clock);
//   auto b = Peer::open({}, clock);
//   (*b)->send("127.0.0.1:7000", "hello");                        // dials, if nobody has yet
//   Datagram datagram = *(*a)->receive();                         // data, from, to
//   (*a)->send(datagram.from(), "hello yourself");                // on the same connection
//
// An address is "host:port", "[::1]:port" or "unix:/path". On the wire is one MessagePack byte
// string after another, as Go's proletariat writes and reads them (peer/frame.h).
//
// What is promised
//   Order: messages sent to one address by one thread arrive in order, for as long as they travel
//   on one connection (PeerOptions::connections_per_address, 1 unless said otherwise). If that is
//   lost, what comes after goes on a new one: some are missing, and of those that were confirmed
//   none is out of order.
//   Once at most: a message that was given to a connection is never sent again.
//   Told once: every message whose sender asked is told that it was confirmed, or why not; of the
//   others, those not confirmed are counted in PeerOptions::on_loss. What "confirmed" means is said
//   in PeerOptions::confirm: `handed` (to this machine's kernel, which is no promise that it
//   arrives), or `received` (the other Peer has given it to its program). One that is told lost
//   may have arrived all the same.
//
// TLS, if PeerOptions::tls says so, is on all connections, and both sides show who they are unless
// TlsOptions::mutual says otherwise; Datagram::identity says who it was. With TLS 1.3, a dialler
// whose certificate is refused hears of it after its handshake: what it handed over until then is
// lost, and an error datagram says so.
//
// Limits, and how they are felt: more than `waiting_max` bytes to one address, and try_send says
// overloaded, send waits, when_room tells; a full inbox is not read for, and so the other side's
// sends wait in their turn.
//
// Threads: by default a Peer has a thread of its own, which runs its loop and all callbacks. Every
// method may be called from any thread, also from callbacks, unless it says that it waits; nothing
// that a callback does closes or destroys its Peer. A Peer
// opened on a loop belongs to that loop's thread: opened, closed and destroyed there; sending and
// receiving remain for any thread.
// Cost: no allocation for a message that is sent, or shown to a callback, while the loop keeps up;
// bytes are copied once before the kernel takes them. A connection that only reads costs about 770
// bytes, one that writes 4 KiB more, and up to 64 while it is busy; with TLS each costs 25 KB.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tram/base/clock.h"
#include "tram/base/result.h"
#include "tram/net/peer/datagram.h"
#include "tram/net/peer/inbox.h"
#include "tram/net/peer/options.h"
#include "tram/net/peer/send_queue.h"

namespace tram::net {

class Loop;

class Peer {
 public:
  // With a thread of its own. Errors: invalid_argument (an address, a limit, or options that do not
  // go together), address_in_use, permission_denied, tls_failed (a file of TlsOptions), io_error.
  static base::Result<std::unique_ptr<Peer>> open(PeerOptions options, const base::Clock& clock);
  // On a loop, by its thread.
  static base::Result<std::unique_ptr<Peer>> open(PeerOptions options, Loop& loop);
  // Closes.
  ~Peer();

  // Where it listens, in the order of PeerOptions::listen, with the ports that were found.
  const std::vector<std::string>& addresses() const;
  // The first of them; "" if it does not listen.
  const std::string& address() const;

  // --- Sending. `bytes` are copied before it returns. All may say: invalid_argument (the address);
  // message_too_large; limit_reached (too many addresses); cancelled (it is closed).
  // Never waits: overloaded, if too much waits for that address.
  base::Result<> try_send(BytesView address, BytesView bytes);
  // `on_settled` is told, on the loop's thread, what became of it: nothing; connection_lost,
  // timed_out, unreachable, tls_failed, limit_reached (no more connections), cancelled. If this
  // returns an error, it is not told.
  base::Result<> try_send(BytesView address, BytesView bytes, OnSettled on_settled);
  // Waits for room. Errors: also timed_out. In a callback it does not wait: overloaded.
  base::Result<> send(BytesView address, BytesView bytes,
                      base::Duration wait_max = base::Duration::forever());
  base::Result<> send(BytesView address, BytesView bytes, OnSettled on_settled,
                      base::Duration wait_max = base::Duration::forever());
  // Waits for room, and then until it is settled, which the time-outs bring about in the end. Not
  // in a callback: a loop would wait for itself.
  base::Result<> send_and_wait(BytesView address, BytesView bytes);
  // `on_room` is told once there is room for a message of `size` bytes, or the peer is closed; at
  // once, if so. A try_send may be told overloaded all the same, if others were faster.
  base::Result<> when_room(BytesView address, size_t size, OnRoom on_room);

  // --- Receiving, if there is no PeerOptions::on_datagram. Errors: timed_out; cancelled, once it
  // is closed and the inbox is empty. The first two wait: not in a callback.
  base::Result<Datagram> receive(base::Duration wait_max = base::Duration::forever());
  // All that are there, at least one, in place of what was in `into`: cheaper than one at a time.
  base::Result<> receive_all(std::vector<Datagram>& into,
                             base::Duration wait_max = base::Duration::forever());
  // Told once: see Inbox::OnReceived.
  void receive_then(Inbox::OnReceived on_received);

  // Ends it, in this order: listens no more; refuses messages (cancelled); writes what waits, for
  // up to close_max, with Confirm::received until it is confirmed, and without trying again where
  // nobody is reached; tells all that is not confirmed (cancelled); closes its connections, and
  // gives the others half a second to hang up. What is in the inbox can still be received. Waits
  // for all that; not in a callback. A Peer on a given loop does not wait: what waits is told at
  // once.
  void close();

  // Reads the files again, or others, for connections from now on: certificates end. Those that are
  // open stay. Errors: as `open`; invalid_argument if it was opened without TLS. What it had stays
  // if this fails.
  base::Result<> renew_tls(const TlsOptions& options);

  PeerStats stats() const;

 private:
  struct Inside;
  explicit Peer(std::unique_ptr<Inside> inside);
  base::Result<> push(BytesView address, BytesView bytes, OnSettled& on_settled,
                      base::Duration wait_max);

  std::unique_ptr<Inside> inside_;
};

}  // namespace tram::net
