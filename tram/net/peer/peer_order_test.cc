// That messages arrive whole, once and in order.
#include <cstdio>
#include <doctest/doctest.h>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tram/net/peer.h"
#include "tram/net/testing/peers.h"

using namespace std::chrono_literals;
using namespace tram::net;
using namespace tram::net::testing;
using tram::base::Errc;

TEST_CASE("messages of every size arrive whole and in order") {
  for (Confirm confirm : {Confirm::handed, Confirm::received}) {
    auto a = listening();
    auto b = open({.confirm = confirm});
    std::vector<size_t> sizes = {0,    1,    31,    32,    255,   256,    4095,
                                 4096, 4097, 65535, 65536, 70000, 300000, 5 << 20};
    for (size_t size : sizes) {
      std::string body(size, '\0');
      for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 31 + size);
      REQUIRE(b->send(a->address(), body));
      REQUIRE(b->send(a->address(), "after " + std::to_string(size)));
      CHECK(next_text(*a) == body);
      CHECK(next_text(*a) == "after " + std::to_string(size));
    }
  }
}

TEST_CASE(
    "a hundred thousand messages arrive once and in order, by callback and through the inbox") {
  constexpr int count = 100'000;
  for (bool by_callback : {true, false}) {
    for (Confirm confirm : {Confirm::handed, Confirm::received}) {
      int expected = 0;
      bool in_order = true;
      std::promise<void> all;
      auto check = [&](const Datagram& datagram) {
        in_order &= datagram.data == std::to_string(expected);
        if (++expected == count) all.set_value();
      };
      PeerOptions options;
      if (by_callback) options.on_datagram = check;
      auto a = listening(std::move(options));
      auto b = open({.confirm = confirm, .waiting_max = 100'000});
      std::thread sender([&] {
        for (int i = 0; i < count; ++i) REQUIRE(b->send(a->address(), std::to_string(i)));
      });
      if (by_callback) {
        CHECK(all.get_future().wait_for(60s) == std::future_status::ready);
      } else {
        std::vector<Datagram> datagrams;
        while (expected < count) {
          REQUIRE(a->receive_all(datagrams, 10s));
          for (const Datagram& one : datagrams) check(one);
        }
      }
      sender.join();
      CHECK(in_order);
      b->close();
      CHECK(b->stats().messages_sent == count);
      CHECK(b->stats().messages_lost == 0);
    }
  }
}

TEST_CASE("many threads send to many peers, and every message arrives once") {
  constexpr int senders = 4;
  constexpr int each = 5000;
  std::vector<std::unique_ptr<Peer>> receivers;
  for (int i = 0; i < 3; ++i) receivers.push_back(listening());
  auto b = open({.waiting_max = 50'000});
  std::vector<std::thread> threads;
  for (int t = 0; t < senders; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i)
        REQUIRE(b->send(receivers[static_cast<size_t>(i % 3)]->address(),
                        std::to_string(t) + " " + std::to_string(i)));
    });
  std::vector<int> last(senders * 3, -1);
  for (size_t r = 0; r < 3; ++r) {
    for (int i = 0; i < senders * ((each + 2 - static_cast<int>(r)) / 3); ++i) {
      int thread = 0;
      int number = 0;
      REQUIRE(std::sscanf(next_text(*receivers[r]).c_str(), "%d %d", &thread, &number) == 2);
      int& before = last[static_cast<size_t>(thread) * 3 + r];
      CHECK(number > before);
      before = number;
    }
    CHECK(receivers[r]->receive(0s).error().code == Errc::timed_out);
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("several connections to one address share what waits") {
  auto a = listening();
  auto b = open({.connections_per_address = 3, .spread_min = 10'000});
  std::string body(5000, 'x');
  for (int i = 0; i < 2000; ++i) REQUIRE(b->send(a->address(), body));
  for (int i = 0; i < 2000; ++i) CHECK(next_text(*a) == body);
  CHECK(b->stats().dialled > 1);
  CHECK(b->stats().dialled <= 3);
  // Answers go back on what was dialled.
  REQUIRE(b->send(a->address(), "last"));
  std::string from = next(*a).from();
  REQUIRE(a->send(from, "back"));
  CHECK(next_text(*b) == "back");
}
