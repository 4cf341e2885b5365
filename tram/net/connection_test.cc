#include "tram/net/connection.h"

#include <doctest/doctest.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "tram/net/testing/hand_clock.h"

using namespace std::chrono_literals;
using namespace tram::net;
using tram::net::testing::HandClock;
using tram::net::testing::turn;

namespace {

// What happened, told outside the session, which dies with its connection.
struct Story {
  std::vector<std::string> shown;
  std::vector<bool> owned;
  std::string closed;
  int ends = 0;
};

// Takes frames of a fixed size; 0: everything that comes.
class FrameSession final : public Session {
 public:
  FrameSession(Story& story, size_t frame, bool goes_on)
      : story_(story), frame_(frame), goes_on_(goes_on) {}
  Progress on_bytes(BytesView bytes, const SharedBytes* owner) override {
    size_t size = frame_ == 0 ? bytes.size() : frame_;
    if (bytes.size() < size) return {0, frame_};
    story_.shown.emplace_back(bytes.substr(0, size));
    story_.owned.push_back(owner != nullptr);
    return {size, 0};
  }
  bool on_end() override {
    ++story_.ends;
    return goes_on_;
  }
  void on_stop() override {}
  void on_closed(CloseReason reason) override { story_.closed = name_of(reason); }

 private:
  Story& story_;
  size_t frame_;
  bool goes_on_;
};

// A connection of a loop, and its peer's end in our hand.
struct World {
  explicit World(size_t frame = 0, bool goes_on = false, ConnectionLimits limits = {}) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    peer = ends[1];
    Connection::adopt(loop, ends[0], "test", limits, [&](Connection& made) {
      connection = &made;
      return std::make_unique<FrameSession>(story, frame, goes_on);
    });
    turn(loop);
  }
  ~World() {
    if (peer >= 0) ::close(peer);
  }
  void say(const std::string& text) {
    REQUIRE(::send(peer, text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
    turn(loop);
  }
  std::string hear() {
    std::string heard;
    char buffer[65536];
    for (;;) {
      turn(loop);
      ssize_t size = ::recv(peer, buffer, sizeof buffer, 0);
      if (size <= 0) return heard;
      heard.append(buffer, static_cast<size_t>(size));
    }
  }
  void hang_up() {
    ::close(peer);
    peer = -1;
    turn(loop);
  }

  HandClock clock;
  Story story;
  Loop loop{clock};
  Connection* connection = nullptr;
  int peer = -1;
};

}  // namespace

TEST_CASE("an unfinished tail is kept, and shown again in front of what comes") {
  World world(5);
  world.say("abc");
  CHECK(world.story.shown.empty());
  world.say("defgh");
  REQUIRE(world.story.shown.size() == 1);
  CHECK(world.story.shown[0] == "abcde");
  world.say("ij");
  CHECK(world.story.shown.back() == "fghij");
}

TEST_CASE("what is larger than one read comes as one piece that may be kept") {
  World world(100'000);
  std::string frame(100'000, 'x');
  frame[99'999] = 'y';
  for (size_t at = 0; at < frame.size(); at += 7'000) world.say(frame.substr(at, 7'000));
  REQUIRE(world.story.shown.size() == 1);
  CHECK(world.story.shown[0] == frame);
  CHECK(world.story.owned[0]);
}

TEST_CASE("a paused session is shown nothing until it resumes, and then everything") {
  World world;
  world.connection->pause();
  world.say("one");
  world.say("two");
  CHECK(world.story.shown.empty());
  world.connection->resume();
  turn(world.loop);
  REQUIRE(world.story.shown.size() == 1);
  CHECK(world.story.shown[0] == "onetwo");
}

TEST_CASE("a paused session still hears that its peer has gone") {
  World world;
  world.connection->pause();
  turn(world.loop);
  world.hang_up();
  CHECK(world.story.ends == 1);
  CHECK(world.story.closed == "by_peer");
}

TEST_CASE("reading that is held back goes on when the loop is relieved, or soon anyway") {
  World world;
  world.connection->hold_back();
  world.say("one");
  CHECK(world.story.shown.empty());
  world.loop.relieve();
  turn(world.loop);
  CHECK(world.story.shown.size() == 1);
  world.connection->hold_back();
  world.say("two");
  CHECK(world.story.shown.size() == 1);
  world.clock.wind(Loop::hold_back_max);
  turn(world.loop);
  CHECK(world.story.shown.size() == 2);
}

TEST_CASE("close writes what waits before it closes, and nothing is read meanwhile") {
  World world;
  world.connection->send(std::string(3'000'000, 'z'));
  world.connection->close();
  world.say("too late");
  CHECK(world.hear().size() == 3'000'000);
  CHECK(world.story.shown.empty());
  world.hang_up();
  CHECK(world.story.closed == "by_session");
}

TEST_CASE("a session may go on writing after its peer has said its last") {
  World world(0, true);
  REQUIRE(::shutdown(world.peer, SHUT_WR) == 0);
  turn(world.loop);
  CHECK(world.story.ends == 1);
  world.connection->send("answer");
  world.connection->close();
  CHECK(world.hear() == "answer");
  CHECK(world.story.closed == "by_session");
}

TEST_CASE("a peer that reads nothing for too long is let go, one that reads a little is not") {
  World world(0, false, {.pending_max = 1 << 20, .write_stall_max = 10s});
  world.connection->send(std::string(4'000'000, 'z'));
  CHECK(world.connection->outbox_is_full());
  turn(world.loop);
  char buffer[400'000];
  for (int i = 0; i < 5; ++i) {
    world.clock.wind(9s);
    turn(world.loop);
    CHECK(world.story.closed.empty());
    REQUIRE(::recv(world.peer, buffer, sizeof buffer, 0) > 0);
    turn(world.loop);
  }
  world.clock.wind(10s);
  turn(world.loop);
  CHECK(world.story.closed == "write_stalled");
}

TEST_CASE("a peer's last bytes and its end, come together, are both seen") {
  World world;
  REQUIRE(::send(world.peer, "last", 4, MSG_NOSIGNAL) == 4);
  world.hang_up();
  REQUIRE(world.story.shown.size() == 1);
  CHECK(world.story.shown[0] == "last");
  CHECK(world.story.ends == 1);
  CHECK(world.story.closed == "by_peer");
}

TEST_CASE(
    "what came before a peer's end is shown when a paused session resumes, and then the end") {
  World world;
  world.connection->pause();
  world.say("one");
  world.say("two");
  world.hang_up();
  CHECK(world.story.ends == 0);
  world.connection->resume();
  turn(world.loop);
  REQUIRE(world.story.shown.size() == 1);
  CHECK(world.story.shown[0] == "onetwo");
  CHECK(world.story.ends == 1);
  CHECK(world.story.closed == "by_peer");
}

TEST_CASE("more than a turn's reads is read to its end, though nothing new comes") {
  World world;
  int size = 1 << 22;  // As much of it as the system allows.
  ::setsockopt(world.peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  std::string piece(8'000, 'x');
  size_t sent = 0;
  ssize_t step = 0;
  while (sent < (size_t{1} << 20) &&
         (step = ::send(world.peer, piece.data(), piece.size(), MSG_NOSIGNAL)) > 0)
    sent += static_cast<size_t>(step);
  turn(world.loop, 10);
  size_t shown = 0;
  for (const std::string& one : world.story.shown) shown += one.size();
  CHECK(shown == sent);
  CHECK(sent > 4 * (size_t{64} << 10));
}

TEST_CASE("a loop does not go to sleep over what a resumed session has not read") {
  World world;
  world.connection->pause();
  world.say("one");
  world.connection->resume();
  turn(world.loop, 1);
  CHECK(world.story.shown.size() == 1);
}
