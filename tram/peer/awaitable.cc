#include "tram/peer/awaitable.h"

#include <memory>
#include <string>

namespace tram::peer {

namespace {

work::Error work_error(const base::Error& error) {
  switch (error.code) {
    case base::Errc::timed_out:
      return {work::Errc::timed_out, error.detail};
    case base::Errc::invalid_argument:
      return {work::Errc::invalid_argument, error.detail};
    case base::Errc::cancelled:
      return {work::Errc::closed, error.detail};
    default:
      return {work::Errc::failed, error.text()};
  }
}

struct Sending : std::enable_shared_from_this<Sending> {
  Sending(net::Peer& the_peer, base::BytesView the_address, base::BytesView the_bytes,
          work::Promise<void> the_promise)
      : peer(the_peer), address(the_address), bytes(the_bytes), promise(std::move(the_promise)) {}

  void try_now() {
    if (promise.over()) return;
    auto settled = [self = shared_from_this()](base::Result<> result) { self->end(result); };
    auto tried = peer.try_send(address, bytes, settled);
    if (tried) return;
    if (tried.error().code != base::Errc::overloaded) return end(tried);
    auto again = [self = shared_from_this()] { self->try_now(); };
    if (auto waits = peer.when_room(address, bytes.size(), again); !waits) end(waits);
  }
  void end(const base::Result<>& result) {
    if (result)
      promise.set_value();
    else
      promise.set_error(work_error(result.error()));
  }

  net::Peer& peer;
  std::string address;
  std::string bytes;
  work::Promise<void> promise;
};

}  // namespace

work::Unit<net::Datagram> receive(const work::Spawner& spawner, net::Peer& peer) {
  auto [unit, promise] = spawner.external<net::Datagram>("receive");
  peer.receive_then([promise = std::move(promise)](base::Result<net::Datagram> datagram) mutable {
    if (!datagram) return promise.set_error(work_error(datagram.error()));
    return promise.set_value(std::move(*datagram));
  });
  return std::move(unit);
}

work::Unit<void> send(const work::Spawner& spawner, net::Peer& peer, base::BytesView address,
                      base::BytesView bytes) {
  auto [unit, promise] = spawner.external<void>("send");
  std::make_shared<Sending>(peer, address, bytes, std::move(promise))->try_now();
  return std::move(unit);
}

}  // namespace tram::peer
