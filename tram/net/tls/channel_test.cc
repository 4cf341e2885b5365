// TLS between two connections of one loop, with the bytes between them in our hands: they are
// carried over whole, in shreds, changed, or not at all.
#include "tram/net/tls/channel.h"

#include <doctest/doctest.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "tram/net/connection.h"
#include "tram/net/testing/certificates.h"
#include "tram/net/testing/hand_clock.h"
#include "tram/net/tls/context.h"

using namespace std::chrono_literals;
using namespace tram::net;
using tram::net::testing::Authority;
using tram::net::testing::HandClock;
using tram::net::testing::turn;

namespace {

// What happened at one end, told outside its session, which dies with its connection.
struct Story {
  std::string heard;
  std::string closed;  // Why, if it is.
  std::string fault;
  std::string name;  // Of the other side.
  int secured = 0;
  int ends = 0;
  int writes = 0;
  bool goes_on = false;  // After the other side's end.
  size_t needs = 0;      // Bytes at once.
};

class TellingSession final : public Session {
 public:
  TellingSession(Connection& connection, Story& story) : connection_(connection), story_(story) {}
  void on_secured() override {
    ++story_.secured;
    story_.name = connection_.certified_name();
  }
  Progress on_bytes(BytesView bytes, const SharedBytes*) override {
    if (bytes.size() < story_.needs) return {0, story_.needs};
    story_.heard += bytes;
    return {bytes.size(), 0};
  }
  bool on_end() override {
    ++story_.ends;
    return story_.goes_on;
  }
  void on_written() override { ++story_.writes; }
  void on_stop() override {}
  void on_closed(CloseReason reason) override {
    story_.closed = name_of(reason);
    story_.fault = connection_.fault();
  }

 private:
  Connection& connection_;
  Story& story_;
};

// One direction of what passes between the two ends.
struct Courier {
  int from;
  int to;
  std::string carried = {};  // All of it.
  size_t at_once = 65536;    // Bytes carried at a time, with a turn of the loop after each.
  size_t flips = SIZE_MAX;   // This byte is changed on the way.
  bool stopped = false;
};

Authority& authority() {
  static Authority one;
  return one;
}

// How two ends talk: a socket pair each, and us between the two.
struct World {
  World(const TlsOptions& caller, const TlsOptions& called, const std::string& host = "localhost") {
    int left[2];
    int right[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, left) == 0);
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, right) == 0);
    there = {.from = left[1], .to = right[1]};
    back = {.from = right[1], .to = left[1]};
    auto dialling = TlsContext::load(caller, TlsContext::Use::to_dial);
    REQUIRE_MESSAGE(dialling, dialling.error().text());
    auto listening = TlsContext::load(called, TlsContext::Use::to_listen);
    REQUIRE_MESSAGE(listening, listening.error().text());
    adopt(left[0], (*dialling)->dial(left[0], loop.chunks(), host), a, one);
    adopt(right[0], (*listening)->accept(right[0], loop.chunks()), b, two);
  }
  explicit World() : World(authority().issue(), authority().issue()) {}
  ~World() {
    ::close(there.from);
    ::close(there.to);
  }
  void adopt(int socket, std::unique_ptr<TlsChannel> channel, Story& story, Connection*& made) {
    Connection::adopt(loop, socket, "test", {.write_stall_max = 10s}, std::move(channel), 5s,
                      [&](Connection& connection) {
                        made = &connection;
                        return std::make_unique<TellingSession>(connection, story);
                      });
  }
  // One piece one way. False if there was none.
  bool carry(Courier& courier) {
    if (courier.stopped) return false;
    std::string piece(courier.at_once, '\0');
    ssize_t size = ::recv(courier.from, piece.data(), piece.size(), 0);
    if (size == 0) {
      // An end goes over once.
      courier.stopped = true;
      ::shutdown(courier.to, SHUT_WR);
      turn(loop);
      return true;
    }
    if (size < 0) return false;
    piece.resize(static_cast<size_t>(size));
    size_t begin = courier.carried.size();
    if (courier.flips >= begin && courier.flips < begin + piece.size())
      piece[courier.flips - begin] = static_cast<char>(piece[courier.flips - begin] ^ 0x20);
    courier.carried += piece;
    for (size_t sent = 0; sent < piece.size();) {
      ssize_t more = ::send(courier.to, piece.data() + sent, piece.size() - sent, MSG_NOSIGNAL);
      if (more < 0 && errno != EAGAIN) return true;  // Closed: what comes is lost.
      if (more > 0) sent += static_cast<size_t>(more);
      turn(loop);
    }
    turn(loop);
    return true;
  }
  // Until nothing moves.
  void run() {
    turn(loop);
    bool moved = true;
    while (moved) {
      moved = carry(there);
      moved = carry(back) || moved;
    }
  }

  HandClock clock;
  Loop loop{clock};
  Story a;  // Who dialled.
  Story b;
  Connection* one = nullptr;
  Connection* two = nullptr;
  Courier there = {.from = -1, .to = -1};
  Courier back = {.from = -1, .to = -1};
};

std::string noise(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace

TEST_CASE("two ends shake hands, know each other's names, and what they say stays between them") {
  World world(authority().issue({.name = "caller", .alternative_names = ""}),
              authority().issue({.alternative_names = "DNS:localhost,email:me@example.org"}));
  world.run();
  CHECK(world.a.secured == 1);
  CHECK(world.b.secured == 1);
  CHECK(world.a.name == "me@example.org");
  CHECK(world.b.name == "CN=caller");
  world.one->send("a question that nobody overhears");
  world.two->send("an answer that nobody overhears");
  world.run();
  CHECK(world.b.heard == "a question that nobody overhears");
  CHECK(world.a.heard == "an answer that nobody overhears");
  CHECK(world.there.carried.find("overhears") == std::string::npos);
  CHECK(world.back.carried.find("overhears") == std::string::npos);
}

TEST_CASE("a certificate names its owner by e-mail address, DNS name, URI or subject") {
  auto name_with = [](const std::string& names) {
    World world(authority().issue({.name = "subject", .alternative_names = names}),
                authority().issue());
    world.run();
    return world.b.name;
  };
  CHECK(name_with("URI:spiffe://x/y,DNS:d.example,email:e@example.org") == "e@example.org");
  CHECK(name_with("URI:spiffe://x/y,DNS:d.example") == "d.example");
  CHECK(name_with("URI:spiffe://x/y") == "spiffe://x/y");
  CHECK(name_with("IP:127.0.0.1") == "CN=subject");
  CHECK(name_with("") == "CN=subject");
}

TEST_CASE("what is sent before the handshake is done waits for it") {
  World world;
  world.one->send("early");
  world.two->send("early as well");
  CHECK(world.one->pending() == 5);
  CHECK(!world.one->secured());
  CHECK(!world.one->ending());
  world.run();
  CHECK(world.b.heard == "early");
  CHECK(world.a.heard == "early as well");
}

TEST_CASE("bytes that come one at a time make the same conversation") {
  World world;
  world.there.at_once = world.back.at_once = 1;
  world.one->send("hello");
  world.run();
  world.two->send("hello yourself");
  world.run();
  CHECK(world.b.heard == "hello");
  CHECK(world.a.heard == "hello yourself");
}

TEST_CASE("megabytes in pieces of every size arrive as they were") {
  World world;
  world.run();
  const std::string all = noise(3'000'000);
  size_t size = 1;
  for (size_t at = 0; at < all.size(); at += size, size = size * 7 % 50'021)
    world.one->send(BytesView(all).substr(at, size));
  SharedBytes shared = SharedBytes::copy_of(all);
  world.two->outbox().append_shared(shared, shared.view());
  world.run();
  CHECK(world.b.heard == all);
  CHECK(world.a.heard == all);
  CHECK(world.one->pending() == 0);
}

TEST_CASE("a message larger than one read is read in place") {
  World world;
  world.run();
  world.b.needs = 1'000'000;
  const std::string all = noise(1'000'000);
  world.one->send(all);
  world.run();
  CHECK(world.b.heard == all);
}

TEST_CASE("small pieces share a record") {
  World world;
  world.run();
  size_t before = world.there.carried.size();
  for (int i = 0; i < 10'000; ++i) world.one->send("hello world");
  world.run();
  CHECK(world.b.heard.size() == 110'000);
  CHECK(world.there.carried.size() - before < 111'000);
}

TEST_CASE("bytes count as written when the kernel has all of the record that holds them") {
  World world;
  world.run();
  int before = world.a.writes;
  world.one->send(noise(4'000'000));  // More than a socket pair holds.
  turn(world.loop);
  size_t held = world.one->pending();
  CHECK(held > 0);
  CHECK(held < 4'000'000);
  CHECK(world.a.writes > before);
  // Nobody takes anything: nothing more is written.
  before = world.a.writes;
  turn(world.loop);
  CHECK(world.one->pending() == held);
  CHECK(world.a.writes == before);
  world.run();
  CHECK(world.one->pending() == 0);
  CHECK(world.b.heard.size() == 4'000'000);
}

TEST_CASE("who takes nothing for too long is given up") {
  World world;
  world.run();
  world.one->send(noise(4'000'000));
  turn(world.loop);
  world.clock.wind(11s);
  turn(world.loop);
  CHECK(world.a.closed == "write_stalled");
}

TEST_CASE("an end that is said is an end") {
  World world;
  world.run();
  world.one->send("last words");
  world.one->close();
  world.run();
  CHECK(world.b.heard == "last words");
  CHECK(world.b.ends == 1);
  CHECK(world.b.closed == "by_peer");
  CHECK(world.a.closed == "by_session");
}

TEST_CASE("after the other side's end answers can still be sent") {
  World world;
  world.b.goes_on = true;
  world.run();
  world.one->close();
  world.run();
  CHECK(world.b.ends == 1);
  CHECK(world.b.closed == "");
  world.two->send("too late for you, but sent");
  world.two->close();
  world.run();
  CHECK(world.b.closed == "by_session");
}

TEST_CASE("an end that TLS did not announce is a lost connection") {
  World world;
  world.b.goes_on = true;
  world.run();
  ::shutdown(world.there.to, SHUT_WR);
  turn(world.loop);
  CHECK(world.b.ends == 0);
  CHECK(world.b.closed == "lost");
  CHECK(world.b.fault == "");
}

TEST_CASE("a paused session hears of the end when nothing else is waiting") {
  World world;
  world.run();
  world.two->pause();
  world.one->close();
  world.run();
  CHECK(world.b.ends == 1);
}

TEST_CASE("whoever connects and leaves is no fault, who leaves in the middle of it is") {
  World quiet;
  ::shutdown(quiet.there.to, SHUT_WR);
  turn(quiet.loop);
  CHECK(quiet.b.closed == "lost");
  CHECK(quiet.b.fault == "");
  World rude;
  REQUIRE(::send(rude.there.to, "\x16\x03\x01", 3, MSG_NOSIGNAL) == 3);
  turn(rude.loop);
  ::shutdown(rude.there.to, SHUT_WR);
  turn(rude.loop);
  CHECK(rude.b.closed == "tls_failed");
  CHECK(rude.b.fault == "it hung up in the middle of the handshake");
}

TEST_CASE("a handshake has its time") {
  World world;
  turn(world.loop);
  world.clock.wind(4s);
  turn(world.loop);
  CHECK(world.b.closed == "");
  world.clock.wind(2s);
  turn(world.loop);
  CHECK(world.b.closed == "tls_failed");
  CHECK(world.b.fault == "the TLS handshake took too long");
}

TEST_CASE("what is no TLS is said to be none") {
  for (const char* text :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\xa5hello and more than five bytes"}) {
    World world;
    REQUIRE(::send(world.there.to, text, strlen(text), MSG_NOSIGNAL) > 0);
    turn(world.loop);
    ::shutdown(world.there.to, SHUT_WR);
    turn(world.loop);
    CHECK(world.b.closed == "tls_failed");
    CHECK_MESSAGE(world.b.fault.starts_with("it does not speak TLS"), world.b.fault);
    CHECK(world.b.secured == 0);
  }
}

TEST_CASE("who cannot be trusted is refused, and both sides know why") {
  Authority stranger("somebody else");
  auto refused = [](const TlsOptions& caller, const TlsOptions& called, const std::string& host,
                    const std::string& a, const std::string& b) {
    CAPTURE(a);
    CAPTURE(b);
    World world(caller, called, host);
    world.one->send("not for everybody");
    world.run();
    CHECK_MESSAGE(world.a.fault.find(a) != std::string::npos, world.a.fault);
    CHECK_MESSAGE(world.b.fault.find(b) != std::string::npos, world.b.fault);
    CHECK(world.a.closed == "tls_failed");
    CHECK(world.b.closed == "tls_failed");
    CHECK(world.b.heard == "");
  };
  TlsOptions good = authority().issue();
  TlsOptions bare = {.authorities = good.authorities};
  TlsOptions foreign = stranger.issue();
  TlsOptions mixed = foreign;  // Trusts us, but is not of ours.
  mixed.authorities = good.authorities;

  // Whom we dialled.
  refused(good, mixed, "localhost", "not to be trusted: unable to get local issuer", "it refused");
  refused(good, good, "example.org", "not to be trusted: hostname mismatch", "it refused");
  refused(good, authority().issue({.name = "localhost", .alternative_names = ""}), "localhost",
          "not to be trusted: hostname mismatch", "it refused");
  refused(good, authority().issue({.alternative_names = "DNS:loc*.example"}), "local.example",
          "not to be trusted: hostname mismatch", "it refused");
  refused(good, good, "10.0.0.1", "not to be trusted: IP address mismatch", "it refused");
  refused(good, authority().issue({.ends_in = -1}), "localhost", "certificate has expired",
          "it refused");
  refused(good, authority().issue({.begins_in = 600}), "localhost", "not yet valid", "it refused");
  refused(good, authority().issue({.use = "clientAuth"}), "localhost",
          "unsuitable certificate purpose", "it refused");
  // Who dialled us.
  refused(bare, good, "localhost", "it refused", "it shows no certificate");
  refused(mixed, good, "localhost", "it refused", "not to be trusted");
  refused(authority().issue({.ends_in = -1}), good, "localhost", "it refused", "has expired");
  refused(authority().issue({.use = "serverAuth"}), good, "localhost", "it refused",
          "unsuitable certificate purpose");
}

TEST_CASE("a wildcard stands for one word") {
  World world(authority().issue(), authority().issue({.alternative_names = "DNS:*.example.org"}),
              "a.example.org");
  world.run();
  CHECK(world.a.secured == 1);
}

TEST_CASE("the name that is expected can be another than the host's") {
  TlsOptions caller = authority().issue();
  caller.server_name = "broker.example";
  World world(caller, authority().issue({.alternative_names = "DNS:broker.example"}), "10.0.0.1");
  world.run();
  CHECK(world.a.secured == 1);
}

TEST_CASE("without mutual nobody is asked who he is") {
  TlsOptions called = authority().issue();
  called.mutual = false;
  World world({.authorities = called.authorities}, called, "127.0.0.1");
  world.one->send("hello");
  world.run();
  CHECK(world.b.heard == "hello");
  CHECK(world.b.name == "");
  CHECK(world.a.name == "localhost");
}

TEST_CASE("a byte changed anywhere ends the connection, and nothing false is heard") {
  // How long an undisturbed conversation is.
  size_t lengths[2];
  {
    World world;
    world.one->send("hello");
    world.two->send("hello yourself");
    world.run();
    lengths[0] = world.there.carried.size();
    lengths[1] = world.back.carried.size();
  }
  TlsOptions caller = authority().issue();
  TlsOptions called = authority().issue();
  int tried = 0;
  int noticed = 0;
  for (int way : {0, 1})
    for (size_t at = 0; at + 1 < lengths[way]; at += 13) {
      CAPTURE(way);
      CAPTURE(at);
      World world(caller, called);
      (way == 0 ? world.there : world.back).flips = at;
      world.one->send("hello");
      world.two->send("hello yourself");
      world.run();
      CHECK((world.b.heard.empty() || world.b.heard == "hello"));
      CHECK((world.a.heard.empty() || world.a.heard == "hello yourself"));
      // A length that was changed makes it wait for bytes that do not come.
      world.clock.wind(6s);
      turn(world.loop);
      ++tried;
      noticed += !world.a.closed.empty() || !world.b.closed.empty();
    }
  // The version in a record's header is not looked at.
  CHECK(noticed * 10 > tried * 9);
}
