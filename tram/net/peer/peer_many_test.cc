// Thousands of connections and of Peers in one process.
#include <algorithm>
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "tram/net/loop.h"
#include "tram/net/peer.h"
#include "tram/net/testing/peers.h"
#include "tram/net/testing/stranger.h"

using namespace tram::net;
using namespace tram::net::testing;

namespace {

// How many this process may have, once it has asked for all it can get.
size_t descriptors() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

}  // namespace

TEST_CASE("thousands of connections live in one process") {
  // Both ends of each are ours.
  size_t count = std::min<size_t>(4000, (descriptors() - 200) / 2);
  MESSAGE(count << " connections; the limit of descriptors is " << descriptors());
  auto a = listening();
  std::vector<Stranger> strangers;
  strangers.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    strangers.emplace_back(a->address());
    strangers.back().say("\xA1x");
  }
  std::vector<std::string> froms;
  for (size_t i = 0; i < count; ++i) froms.push_back(next(*a).from());
  CHECK(a->stats().connections == count);
  for (const std::string& from : froms) REQUIRE(a->send(from, "to you"));
  for (Stranger& one : strangers) CHECK(one.hear(7) == "\xA6to you");
}

TEST_CASE("a thousand peers on one loop pass a message round") {
  // Each has a listener, two connections, and a descriptor to be woken by.
  size_t count = std::min<size_t>(1000, (descriptors() - 200) / 4);
  Loop loop(clock_of_tests);
  std::vector<std::unique_ptr<Peer>> peers(count);
  size_t passed = 0;
  for (size_t i = 0; i < count; ++i) {
    auto pass_on = [&, i](const Datagram& datagram) {
      ++passed;
      if (i + 1 == count)
        loop.stop();
      else
        CHECK(peers[i]->try_send(peers[i + 1]->address(), datagram.data));
    };
    auto peer = Peer::open({.listen = {"127.0.0.1:0"}, .on_datagram = pass_on}, loop);
    REQUIRE_MESSAGE(peer, peer.error().text());
    peers[i] = std::move(*peer);
  }
  REQUIRE(peers[0]->try_send(peers[0]->address(), "round"));  // Also to itself.
  loop.run();
  CHECK(passed == count);
  peers.clear();
}
