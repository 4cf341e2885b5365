// A Peer's messages as units: for coroutines, and for whatever waits for a unit.
//
//   Task<> echo(Peer& peer, Context c) {
//     while (true) {
//       Unit<Datagram> next = receive(c, peer);
//       Datagram datagram = co_await next;  // Throws once the peer is closed.
//       Unit<void> sent = send(c, peer, datagram.from(), datagram.data);
//       co_await sent;                      // Throws if it was not confirmed.
//     }
//   }
//
// What a Peer says with a base::Errc, a unit says with a work::Errc: timed_out and invalid_argument
// as they are; closed, if the peer is closed; otherwise failed, with the sentence as its detail.
//
// The peer outlives the scope of the units. Threads: any. Cost: an allocation or two each.
#pragma once

#include "tram/net/peer.h"
#include "tram/work/scope.h"

namespace tram::peer {

// Ends with the next datagram, in the order of the calls. If it is cancelled, whoever comes next
// gets the datagram. For a Peer without PeerOptions::on_datagram.
work::Unit<net::Datagram> receive(const work::Spawner& spawner, net::Peer& peer);

// Waits for room, and ends once the message is settled: see PeerOptions::confirm. `bytes` are
// copied before it returns. If it is cancelled while it waits for room, nothing is sent; later, it
// is sent all the same.
work::Unit<void> send(const work::Spawner& spawner, net::Peer& peer, base::BytesView address,
                      base::BytesView bytes);

}  // namespace tram::peer
