#include "tram/net/peer.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tram/base/assert.h"
#include "tram/net/peer/core.h"
#include "tram/net/peer/frame.h"

namespace tram::net {

using base::Errc;

struct Peer::Inside {
  std::unique_ptr<Loop> own_loop;
  std::unique_ptr<PeerCore> core;
  std::thread thread;  // Runs own_loop.
  bool closed = false;
};

namespace {

// Where this thread sent to last: most threads send to few addresses, and looking one up takes a
// lock that all share. A queue that was given up says so, and is then looked up again. What it
// keeps alive meanwhile has lost its connections and blocks.
struct LastSentTo {
  uint64_t core = 0;  // PeerCore::number
  std::shared_ptr<Destination> destination;

  bool is(const PeerCore& peer, BytesView address) const {
    return core == peer.number() && destination->name == address;
  }
};
thread_local LastSentTo last_sent_to;

base::Result<> check(const PeerOptions& options) {
  auto refuse = [](const char* why) { return base::failure(Errc::invalid_argument, why); };
  // A gigabyte is read into one piece of memory, and written from one.
  if (options.message_max > size_t{1} << 30) return refuse("message_max is at most 1 GiB");
  if (options.connections_max == 0) return refuse("connections_max is at least 1");
  if (options.connections_per_address == 0) return refuse("connections_per_address is at least 1");
  return {};
}

}  // namespace

Peer::Peer(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

Peer::~Peer() { close(); }

base::Result<std::unique_ptr<Peer>> Peer::open(PeerOptions options, const base::Clock& clock) {
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  auto inside = std::make_unique<Inside>();
  inside->own_loop = std::make_unique<Loop>(clock);
  inside->core = std::make_unique<PeerCore>(*inside->own_loop, std::move(options));
  if (auto listening = inside->core->listen(); !listening)
    return std::unexpected(listening.error());
  inside->thread = std::thread([inside = inside.get()] {
    inside->core->runs_here();
    inside->own_loop->run();
  });
  return std::unique_ptr<Peer>(new Peer(std::move(inside)));
}

base::Result<std::unique_ptr<Peer>> Peer::open(PeerOptions options, Loop& loop) {
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  auto inside = std::make_unique<Inside>();
  inside->core = std::make_unique<PeerCore>(loop, std::move(options));
  inside->core->runs_here();
  if (auto listening = inside->core->listen(); !listening)
    return std::unexpected(listening.error());
  return std::unique_ptr<Peer>(new Peer(std::move(inside)));
}

const std::vector<std::string>& Peer::addresses() const { return inside_->core->addresses(); }

const std::string& Peer::address() const {
  static const std::string none;
  return addresses().empty() ? none : addresses().front();
}

// --- Sending.

base::Result<> Peer::push(BytesView address, BytesView bytes, OnSettled& on_settled,
                          base::Duration wait_max) {
  PeerCore& core = *inside_->core;
  if (bytes.size() > core.options().message_max)
    return base::failure(Errc::message_too_large, std::to_string(bytes.size()) +
                                                      " bytes; the limit is " +
                                                      std::to_string(core.options().message_max));
  while (true) {
    if (!last_sent_to.is(core, address)) {
      auto destination = core.destination(address);
      if (!destination) return std::unexpected(destination.error());
      last_sent_to = {core.number(), std::move(*destination)};
    }
    SendQueue& queue = last_sent_to.destination->queue;
    switch (queue.try_push(bytes, on_settled)) {
      case SendQueue::Pushed::quietly:
        return {};
      case SendQueue::Pushed::first:
        core.tell(last_sent_to.destination);
        return {};
      case SendQueue::Pushed::abandoned:
        last_sent_to = {};
        break;
      case SendQueue::Pushed::no_room:
        if (wait_max == base::Duration() || core.on_loop())
          return base::failure(Errc::overloaded, "too much waits for " + std::string(address));
        if (!queue.wait_for_room(bytes.size(), wait_max))
          return base::failure(Errc::timed_out, "too much waits for " + std::string(address));
        break;
    }
  }
}

base::Result<> Peer::try_send(BytesView address, BytesView bytes) {
  OnSettled nobody;
  return push(address, bytes, nobody, {});
}

base::Result<> Peer::try_send(BytesView address, BytesView bytes, OnSettled on_settled) {
  return push(address, bytes, on_settled, {});
}

base::Result<> Peer::send(BytesView address, BytesView bytes, base::Duration wait_max) {
  OnSettled nobody;
  return push(address, bytes, nobody, wait_max);
}

base::Result<> Peer::send(BytesView address, BytesView bytes, OnSettled on_settled,
                          base::Duration wait_max) {
  return push(address, bytes, on_settled, wait_max);
}

base::Result<> Peer::send_and_wait(BytesView address, BytesView bytes) {
  TRAM_ASSERT(!inside_->core->on_loop());
  struct Outcome {
    std::mutex mutex;
    std::condition_variable told;
    std::optional<base::Result<>> result;
  } outcome;
  OnSettled on_settled = [&outcome](base::Result<> result) {
    // Told under the lock: once it is free, `outcome` may be gone.
    std::lock_guard lock(outcome.mutex);
    outcome.result = std::move(result);
    outcome.told.notify_one();
  };
  if (auto pushed = push(address, bytes, on_settled, base::Duration::forever()); !pushed)
    return pushed;
  std::unique_lock lock(outcome.mutex);
  outcome.told.wait(lock, [&] { return outcome.result.has_value(); });
  return std::move(*outcome.result);
}

base::Result<> Peer::when_room(BytesView address, size_t size, OnRoom on_room) {
  auto destination = inside_->core->destination(address);
  if (!destination) return std::unexpected(destination.error());
  (*destination)->queue.when_room(size, std::move(on_room));
  return {};
}

// --- Receiving.

base::Result<Datagram> Peer::receive(base::Duration wait_max) {
  TRAM_ASSERT(!inside_->core->on_loop() || wait_max == base::Duration());
  return inside_->core->inbox().take(wait_max);
}

base::Result<> Peer::receive_all(std::vector<Datagram>& into, base::Duration wait_max) {
  TRAM_ASSERT(!inside_->core->on_loop() || wait_max == base::Duration());
  return inside_->core->inbox().take_all(into, wait_max);
}

void Peer::receive_then(Inbox::OnReceived on_received) {
  inside_->core->inbox().take_then(std::move(on_received));
}

// --- Ending.

void Peer::close() {
  if (std::exchange(inside_->closed, true)) return;
  PeerCore& core = *inside_->core;
  if (!inside_->own_loop) {
    core.close_now();
    return;
  }
  TRAM_ASSERT(!core.on_loop());
  Loop& loop = *inside_->own_loop;
  loop.post([&core, &loop] { core.close([&loop] { loop.stop(); }); });
  inside_->thread.join();
}

base::Result<> Peer::renew_tls(const TlsOptions& options) {
  return inside_->core->renew_tls(options);
}

PeerStats Peer::stats() const {
  const PeerCounters& from = inside_->core->numbers();
  return {.connections = from.connections.value(),
          .addresses = inside_->core->remembered(),
          .accepted = from.accepted.value(),
          .refused = from.refused.value(),
          .dialled = from.dialled.value(),
          .dials_failed = from.dials_failed.value(),
          .messages_sent = from.messages_sent.value(),
          .bytes_sent = from.bytes_sent.value(),
          .messages_lost = from.messages_lost.value(),
          .messages_received = from.messages_received.value(),
          .bytes_received = from.bytes_received.value(),
          .faults = from.faults.value(),
          .pauses = from.pauses.value()};
}

}  // namespace tram::net
