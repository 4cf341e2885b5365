// Tram's Peer. Contestants: "tram" receives by callback; "tram inbox" by receive_all, as from a
// channel; "tram received" by callback, and each message is confirmed by the other program; "tram
// tls" by callback, through TLS with certificates on both sides, from files that the environment
// names.
#include <cstdlib>
#include <semaphore>
#include <thread>

#include "bench/peer/round.h"

#include "tram/base/system_clock.h"
#include "tram/net/peer.h"

using namespace tram::net;

namespace bench {

namespace {

const tram::base::SystemClock clock_here;

// What the contestants' names say of both ends.
PeerOptions options_of(const Round& round) {
  PeerOptions options;
  if (round.contestant == "tram received") options.confirm = Confirm::received;
  if (round.contestant == "tram tls") {
    const char* certificate = std::getenv("BENCH_CERTIFICATE");
    const char* key = std::getenv("BENCH_KEY");
    if (certificate == nullptr || key == nullptr) give_up("BENCH_CERTIFICATE, BENCH_KEY: files");
    options.tls = TlsOptions{.certificate = certificate, .key = key, .authorities = certificate};
  }
  options.on_loss = [](const Loss& loss) { give_up(loss.error.text()); };
  return options;
}

std::unique_ptr<Peer> open(PeerOptions options) {
  auto peer = Peer::open(std::move(options), clock_here);
  if (!peer) give_up(peer.error().text());
  return std::move(*peer);
}

void check(const tram::base::Result<>& done) {
  if (!done) give_up(done.error().text());
}

void receive(const Round& round) {
  const bool answers = round.kind == "ask";
  const bool by_inbox = round.contestant == "tram inbox";
  Tally tally(round);
  Peer* self = nullptr;
  PeerOptions options = options_of(round);
  options.listen = {"127.0.0.1:0"};
  auto each = [&](const Datagram& datagram) {
    if (datagram.error) give_up(datagram.error->text());
    // First: the last message's sender may end as soon as it has its answer.
    if (answers) check(self->try_send(datagram.from(), datagram.data));
    tally.add(datagram.data.data(), datagram.data.size());
  };
  if (!by_inbox) options.on_datagram = each;
  auto peer = open(std::move(options));
  self = peer.get();
  say(peer->address());
  std::thread taker;
  if (by_inbox)
    taker = std::thread([&] {
      std::vector<Datagram> datagrams;
      while (peer->receive_all(datagrams))
        for (const Datagram& one : datagrams) each(one);
    });
  wait_for_run();
  peer->close();
  if (taker.joinable()) taker.join();
}

void stream(const Round& round) {
  auto peer = open(options_of(round));
  send_round(round, [&](uint64_t first, uint64_t last) {
    std::string message = round.message();
    for (uint64_t i = first; i < last; ++i) {
      write_number(message, i);
      check(peer->send(round.address, message));
    }
  });
}

// One question at a time, of a thread that waits for its answer.
void ask_by_inbox(const Round& round) {
  auto peer = open(options_of(round));
  std::vector<uint64_t> latencies;
  auto ask = [&](uint64_t first, uint64_t last) {
    std::string message = round.message();
    for (uint64_t i = first; i < last; ++i) {
      uint64_t asked = now_ns();
      write_number(message, i);
      check(peer->send(round.address, message));
      auto answer = peer->receive();
      if (!answer || answer->data != message) give_up("not what was asked came back");
      latencies.push_back(now_ns() - asked);
    }
  };
  send_round(round, ask, &latencies);
}

// One question at a time, each asked by the callback that has the answer to the one before.
void ask_by_callback(const Round& round) {
  std::vector<uint64_t> latencies;
  std::string message = round.message();
  std::binary_semaphore over(0);
  Peer* self = nullptr;
  uint64_t next = 0;
  uint64_t end = 0;
  uint64_t asked = 0;
  auto ask = [&] {
    asked = now_ns();
    write_number(message, next++);
    check(self->try_send(round.address, message));
  };
  PeerOptions options = options_of(round);
  options.on_datagram = [&](const Datagram& answer) {
    if (answer.error || answer.data != message) give_up("not what was asked came back");
    latencies.push_back(now_ns() - asked);
    if (next < end) return ask();
    over.release();
  };
  auto peer = open(std::move(options));
  self = peer.get();
  auto ask_all = [&](uint64_t first, uint64_t last) {
    next = first;
    end = last;
    ask();
    over.acquire();
  };
  send_round(round, ask_all, &latencies);
  peer->close();
}

// A peer for each message, and with it a connection: as a program that says one thing and ends.
void connect(const Round& round) {
  send_round(round, [&](uint64_t first, uint64_t last) {
    std::string message = round.message();
    for (uint64_t i = first; i < last; ++i) {
      write_number(message, i);
      auto peer = open(options_of(round));
      check(peer->send_and_wait(round.address, message));
      peer->close();
    }
  });
}

}  // namespace

void run_tram(const Round& round) {
  if (round.receives) return receive(round);
  if (round.kind == "stream") return stream(round);
  if (round.kind == "connect") return connect(round);
  if (round.contestant == "tram inbox") return ask_by_inbox(round);
  return ask_by_callback(round);
}

}  // namespace bench
