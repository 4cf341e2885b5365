// What a message between two programs costs, both ends counted; beside it what the same bytes cost
// on a plain socket. Both peers are in this process, each with its own thread, and so are the
// threads that send and receive: on two processors they share.
#include <arpa/inet.h>
#include <atomic>
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "tram/base/system_clock.h"
#include "tram/net/peer.h"
#include "tram/net/testing/certificates.h"

using namespace tram::net;

namespace {

// `wanted` messages have come.
void wait_for(const std::atomic<uint64_t>& came, uint64_t wanted) {
  for (uint64_t now = came; now < wanted; now = came) came.wait(now);
}

// A batch is 1 MiB or 20,000 messages, whichever is less; receipt is counted.
void stream(benchmark::State& state, Confirm confirm, bool by_callback,
            const std::optional<TlsOptions>& tls = {}) {
  auto size = static_cast<size_t>(state.range(0));
  uint64_t batch = std::min<uint64_t>(20'000, std::max<uint64_t>(1, (16 << 20) / size));
  tram::base::SystemClock clock;
  std::atomic<uint64_t> came = 0;
  uint64_t wanted = 0;
  std::atomic<uint64_t> target = 0;
  PeerOptions options{.listen = {"127.0.0.1:0"}, .tls = tls};
  uint64_t count = 0;
  if (by_callback)
    options.on_datagram = [&](const Datagram& datagram) {
      if (datagram.data.size() != size) std::abort();
      if (++count == target.load(std::memory_order_relaxed)) {
        came = count;
        came.notify_one();
      }
    };
  auto receiver = std::move(*Peer::open(std::move(options), clock));
  auto sender = std::move(*Peer::open({.tls = tls, .confirm = confirm}, clock));
  std::string body(size, 'x');
  std::string address = receiver->address();
  std::thread taker;
  if (!by_callback)
    taker = std::thread([&] {
      std::vector<Datagram> datagrams;
      while (receiver->receive_all(datagrams)) {
        count += datagrams.size();
        if (count == target.load(std::memory_order_relaxed)) {
          came = count;
          came.notify_one();
        }
      }
    });
  auto once = [&] {
    wanted += batch;
    target = wanted;
    for (uint64_t i = 0; i < batch; ++i)
      if (!sender->send(address, body)) std::abort();
    wait_for(came, wanted);
  };
  once();
  for (auto _ : state) once();
  auto messages = static_cast<double>(batch) * static_cast<double>(state.iterations());
  state.counters["messages"] = benchmark::Counter(messages, benchmark::Counter::kIsRate);
  state.SetBytesProcessed(static_cast<int64_t>(messages * static_cast<double>(size)));
  receiver->close();
  if (taker.joinable()) taker.join();
}

void peer_callback(benchmark::State& state) { stream(state, Confirm::handed, true); }
void peer_inbox(benchmark::State& state) { stream(state, Confirm::handed, false); }
void peer_received(benchmark::State& state) { stream(state, Confirm::received, true); }
void peer_tls(benchmark::State& state) {
  tram::net::testing::Authority authority;
  stream(state, Confirm::handed, true, authority.issue());
}
BENCHMARK(peer_tls)->Arg(11)->Arg(1024)->Arg(65536)->UseRealTime();
BENCHMARK(peer_callback)->Arg(11)->Arg(1024)->Arg(65536)->UseRealTime();
BENCHMARK(peer_inbox)->Arg(11)->Arg(65536)->UseRealTime();
BENCHMARK(peer_received)->Arg(11)->Arg(65536)->UseRealTime();

// A question and its answer, one at a time: each message wakes another thread.
void peer_round_trip(benchmark::State& state) {
  tram::base::SystemClock clock;
  Peer* self = nullptr;
  auto echo = std::move(*Peer::open(
      {.listen = {"127.0.0.1:0"},
       .on_datagram =
           [&](const Datagram& datagram) { (void)self->try_send(datagram.from(), datagram.data); }},
      clock));
  self = echo.get();
  auto asker = std::move(*Peer::open({}, clock));
  for (auto _ : state) {
    (void)asker->send(echo->address(), "hello world");
    if (!asker->receive()) std::abort();
  }
}
BENCHMARK(peer_round_trip)->UseRealTime();

// One thread writes, one reads, whole buffers: what the machine gives.
void plain_sockets(benchmark::State& state) {
  auto size = static_cast<size_t>(state.range(0));
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof in;
  auto* address = reinterpret_cast<sockaddr*>(&in);
  int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  int out = ::socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || out < 0 || ::bind(listener, address, length) != 0 ||
      ::listen(listener, 1) != 0 || ::getsockname(listener, address, &length) != 0 ||
      ::connect(out, address, length) != 0)
    std::abort();
  int reading = ::accept(listener, nullptr, nullptr);
  std::atomic<uint64_t> came = 0;
  std::atomic<uint64_t> target = 0;
  std::thread reader([&] {
    std::string buffer(size, '\0');
    uint64_t count = 0;
    for (ssize_t got = 0; (got = ::recv(reading, buffer.data(), size, 0)) > 0;) {
      count += static_cast<uint64_t>(got);
      if (count == target.load(std::memory_order_relaxed)) {
        came = count;
        came.notify_one();
      }
    }
  });
  std::string body(size, 'x');
  uint64_t batch = (16 << 20) / size;
  uint64_t wanted = 0;
  for (auto _ : state) {
    wanted += batch * size;
    target = wanted;
    for (uint64_t i = 0; i < batch; ++i)
      for (size_t at = 0; at < size;)
        at += static_cast<size_t>(::send(out, body.data() + at, size - at, 0));
    wait_for(came, wanted);
  }
  state.SetBytesProcessed(static_cast<int64_t>(wanted));
  ::close(out);
  reader.join();
  ::close(reading);
  ::close(listener);
}
BENCHMARK(plain_sockets)->Arg(65536)->UseRealTime();

}  // namespace
