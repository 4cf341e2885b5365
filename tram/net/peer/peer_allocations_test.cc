// That no memory is allocated for a message: this file replaces net_test's operator new by one that
// counts. A sanitizer has its own, and must keep it: there these cases are left out.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <doctest/doctest.h>
#include <new>
#include <string>
#include <thread>

#include "tram/net/peer.h"
#include "tram/net/testing/peers.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

std::atomic<uint64_t> allocations = 0;  // Of all threads, since the program began.
thread_local uint64_t allocations_here = 0;

void* counted(size_t size, size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  ++allocations_here;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace std::chrono_literals;
using namespace tram::net;
using namespace tram::net::testing;

namespace {

struct Flow {
  Confirm confirm;
  size_t size;
  uint64_t messages;
  bool told = false;  // The sender asks of each message what became of it.
};

// For each message.
struct Allocations {
  double in_all;
  double by_sender;  // The thread that calls `send`.
};

// One thread sends, and another Peer's callback receives. What is counted comes after a quarter as
// many, by which everything has become as large as it gets.
Allocations count_allocations(const Flow& flow) {
  std::atomic<uint64_t> came = 0;
  std::atomic<uint64_t> settled = 0;
  bool whole = true;
  auto a = listening({.on_datagram = [&](const Datagram& datagram) {
    whole &= datagram.data.size() == flow.size;
    came.fetch_add(1, std::memory_order_release);
  }});
  auto b = open({.confirm = flow.confirm});
  std::string body(flow.size, 'x');
  uint64_t sent = 0;
  bool taken = true;
  auto send = [&](uint64_t messages) {
    for (uint64_t i = 0; i < messages; ++i, ++sent) {
      if (flow.told)
        taken &= bool(b->send(a->address(), body, [&](tram::base::Result<>) { ++settled; }));
      else
        taken &= bool(b->send(a->address(), body));
    }
    while (came.load(std::memory_order_acquire) < sent) std::this_thread::yield();
  };
  send(flow.messages / 4);
  uint64_t before = allocations.load();
  uint64_t before_here = allocations_here;
  send(flow.messages);
  auto messages = static_cast<double>(flow.messages);
  Allocations each{static_cast<double>(allocations.load() - before) / messages,
                   static_cast<double>(allocations_here - before_here) / messages};
  CHECK(taken);
  CHECK(whole);
  b->close();
  CHECK(settled == (flow.told ? sent : 0));
  return each;
}

}  // namespace

TEST_CASE("a message of 11 bytes that is sent and shown to a callback allocates nothing") {
  for (Confirm confirm : {Confirm::handed, Confirm::received})
    for (bool told : {false, true}) {
      Allocations each = count_allocations({confirm, 11, 200'000, told});
      CAPTURE(told);
      CAPTURE(confirm == Confirm::received);
      CAPTURE(each.in_all);
      CAPTURE(each.by_sender);
      // Usually 0.0002: lists that grow once more, blocks for a backlog longer than any before.
      // With an answer for each it is more at times: those that wait for one are a list of their
      // own.
      CHECK(each.in_all < 0.005);
      CHECK(each.by_sender < 0.005);
    }
}

TEST_CASE("a message of a kilobyte allocates nothing; what is left at the end of a read does") {
  for (Confirm confirm : {Confirm::handed, Confirm::received}) {
    Allocations each = count_allocations({confirm, 1024, 100'000});
    CAPTURE(confirm == Confirm::received);
    CAPTURE(each.in_all);
    CAPTURE(each.by_sender);
    // One for each read of 64 KiB, which is the 0.016 that are expected: the part of a message at
    // its end is kept. Reads that are shorter, since the sender is slow, keep more of them.
    CHECK(each.in_all < 0.05);
    CHECK(each.by_sender < 0.005);
  }
}

TEST_CASE("a message of 64 KiB is allocated where it is received, once, and not where it is sent") {
  for (Confirm confirm : {Confirm::handed, Confirm::received}) {
    Allocations each = count_allocations({confirm, 65536, 10'000});
    CAPTURE(confirm == Confirm::received);
    CAPTURE(each.in_all);
    CAPTURE(each.by_sender);
    // A message that does not end within a read gets a place of its own, into which the rest is
    // read, and which an inbox would keep. The rest is an outbox's list of pieces, as it grows.
    CHECK(each.in_all < 1.2);
    CHECK(each.by_sender < 0.02);
  }
}

#endif
