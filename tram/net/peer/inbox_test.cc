#include "tram/net/peer/inbox.h"

#include <doctest/doctest.h>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace tram::net;
using tram::base::Errc;
using tram::base::Result;

namespace {

const auto ends = std::make_shared<const Ends>(Ends{"there", "here"});

void push(Inbox& inbox, const std::vector<std::string>& texts) {
  std::vector<Datagram> datagrams;
  for (const std::string& text : texts) {
    SharedBytes bytes = SharedBytes::copy_of(text);
    datagrams.push_back({.data = bytes.view(), .ends = ends, .owner = bytes});
  }
  inbox.push(datagrams);
  CHECK(datagrams.empty());
}

std::string take(Inbox& inbox) {
  auto taken = inbox.take(0s);
  return taken ? std::string(taken->data) : std::string(name_of(taken.error().code));
}

}  // namespace

TEST_CASE("datagrams are taken in the order in which they came, one at a time or all at once") {
  Inbox inbox(1 << 20, [] {});
  CHECK(take(inbox) == "timed_out");
  push(inbox, {"a", "b", "c"});
  CHECK(take(inbox) == "a");
  push(inbox, {"d"});
  std::vector<Datagram> all;
  REQUIRE(inbox.take_all(all, 0s));
  REQUIRE(all.size() == 3);
  CHECK(all[0].data == "b");
  CHECK(all[2].data == "d");
  push(inbox, {"e", "f"});
  REQUIRE(inbox.take_all(all, 0s));
  CHECK(all.size() == 2);
  CHECK_FALSE(inbox.is_full());
}

TEST_CASE("nobody overtakes a datagram that is offered to a callback, and declined") {
  Inbox inbox(1 << 20, [] {});
  push(inbox, {"first", "second"});
  inbox.take_then([&](Result<Datagram> offered) {
    CHECK(offered->data == "first");
    std::thread([&] { CHECK(take(inbox) == "timed_out"); }).join();
    return false;
  });
  CHECK(take(inbox) == "first");
  CHECK(take(inbox) == "second");
}

TEST_CASE("callbacks are served in their order, also those that come while one is served") {
  Inbox inbox(1 << 20, [] {});
  std::string told;
  inbox.take_then([&](Result<Datagram> datagram) {
    told += std::string(datagram->data) + "1 ";
    inbox.take_then([&](Result<Datagram> next) {
      told += std::string(next->data) + "3 ";
      return true;
    });
    return true;
  });
  inbox.take_then([&](Result<Datagram> datagram) {
    told += std::string(datagram->data) + "2 ";
    return true;
  });
  push(inbox, {"a", "b", "c", "d"});
  CHECK(told == "a1 b2 c3 ");
  CHECK(take(inbox) == "d");
}

TEST_CASE("room is told once, when half of it is free again after it was full") {
  int room = 0;
  Inbox inbox(2000, [&] { ++room; });
  push(inbox, {std::string(1000, 'x')});
  CHECK_FALSE(inbox.is_full());
  push(inbox, {std::string(1000, 'x'), "x", "x", "x"});
  CHECK(inbox.is_full());
  CHECK(take(inbox).size() == 1000);
  CHECK(room == 0);
  CHECK(take(inbox).size() == 1000);
  CHECK(room == 1);
  CHECK(take(inbox) == "x");
  CHECK(room == 1);
}

TEST_CASE("a closed inbox gives what it holds, and then says that it is closed") {
  Inbox inbox(1 << 20, [] {});
  push(inbox, {"last"});
  Errc told = Errc::io_error;
  inbox.close();
  CHECK(take(inbox) == "last");
  CHECK(take(inbox) == "cancelled");
  inbox.take_then([&](Result<Datagram> datagram) {
    told = datagram.error().code;
    return true;
  });
  CHECK(told == Errc::cancelled);
}
