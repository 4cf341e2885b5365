#include "tram/net/readiness.h"

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace tram::net;

namespace {

// A socket of the set, its peer's end, and what was told of it.
struct Pair final : Watched {
  explicit Pair(ReadySet& the_set) : set(the_set) {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both) == 0);
    mine = both[0];
    peers = both[1];
    REQUIRE(set.add(mine, *this));
    set.handle();
    told = 0;
  }
  ~Pair() {
    set.remove(mine, *this);
    ::close(mine);
    if (peers >= 0) ::close(peers);
  }
  void say(const std::string& text) {
    REQUIRE(::send(peers, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  void on_ready(Ready what) override {
    ++told;
    last = what;
    if (other != nullptr) set.remove(other->mine, *other);
    if (insists) set.again(*this);
  }

  ReadySet& set;
  int mine = -1;
  int peers = -1;
  int told = 0;
  Ready last;
  Pair* other = nullptr;
  bool insists = false;
};

}  // namespace

TEST_CASE("a socket is told of a change once, whether or not it is read") {
  ReadySet set;
  Pair pair(set);
  pair.say("a");
  CHECK(set.handle() == 1);
  CHECK(pair.last.readable);
  CHECK_FALSE(pair.last.ended);
  CHECK(set.handle() == 0);
  pair.say("b");
  CHECK(set.handle() == 1);
  CHECK(pair.told == 2);
}

TEST_CASE("a peer's end is told behind bytes that nobody has read") {
  ReadySet set;
  Pair pair(set);
  pair.say("last words");
  set.handle();
  ::shutdown(pair.peers, SHUT_WR);
  CHECK(set.handle() == 1);
  CHECK(pair.last.readable);
  CHECK(pair.last.ended);
}

TEST_CASE("who asks to be called again is called once each time, though nothing changes") {
  ReadySet set;
  Pair pair(set);
  pair.insists = true;
  set.again(pair);
  set.again(pair);
  CHECK(set.handle() == 1);
  CHECK(set.has_again());
  pair.insists = false;
  CHECK(set.handle() == 1);
  CHECK_FALSE(set.has_again());
  CHECK(set.handle() == 0);
}

TEST_CASE("one that is removed by another's call is not called again") {
  ReadySet set;
  Pair first(set);
  Pair second(set);
  Pair third(set);
  first.other = &third;
  set.again(first);
  set.again(second);
  set.again(third);
  CHECK(set.handle() == 2);
  CHECK(second.told == 1);
  CHECK(third.told == 0);
  third.say("a");
  CHECK(set.handle() == 0);
}

TEST_CASE("more sockets than one call tells of get their turn in the next") {
  ReadySet set;
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < ReadySet::handled_max + 10; ++i) pairs.push_back(std::make_unique<Pair>(set));
  for (auto& pair : pairs) pair->say("a");
  CHECK(set.handle() == ReadySet::handled_max);
  CHECK(set.handle() == 10);
  for (auto& pair : pairs) CHECK(pair->told == 1);
}
