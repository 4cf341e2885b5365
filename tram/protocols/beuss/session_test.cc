#include "tram/protocols/beuss/session.h"

#include <deque>
#include <doctest/doctest.h>
#include <future>
#include <linux/sockios.h>
#include <map>
#include <mutex>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "tram/base/system_clock.h"

using namespace tram;
using namespace tram::protocols::beuss;

namespace {

// Queues as beuss needs them. Answers at once, or, if `slow`, in a later turn.
class FakeEngine final : public broker::Engine {
 public:
  explicit FakeEngine(net::Loop& loop) : loop_(loop) {}

  base::Time now() const override { return loop_.now(); }
  Reach publish(const broker::Publication&, const broker::Subscriber*) override { return {}; }
  bool publish_to(const broker::Subscriber&, const broker::Publication&) override { return false; }
  broker::SubscriptionId subscribe(broker::Subscriber&, uint64_t, base::BytesView,
                                   base::BytesView) override {
    return {};
  }
  void unsubscribe(broker::SubscriptionId) override {}
  void drop(broker::SubscriptionId) override {}
  bool known_everywhere(broker::CallerId, broker::Ticket) override { return true; }
  void publish_checked(broker::CallerId, broker::Ticket, const broker::Publication&) override {}

  broker::CallerId enrol(broker::Caller& caller) override {
    callers_[++last_id_] = &caller;
    return {last_id_};
  }
  void depart(broker::CallerId caller) override {
    callers_.erase(caller.value);
    std::erase_if(leased_, [&](auto& lease) {
      if (lease.second.holder != caller) return false;
      queues_[lease.second.queue].push_front(std::move(lease.second.content));
      return true;
    });
  }
  void submit(broker::CallerId caller, broker::Ticket ticket, broker::Command command) override {
    broker::Reply reply = carry_out(caller, command);
    if (!slow) {
      callers_[caller.value]->on_reply(ticket, reply);
      return;
    }
    loop_.post([this, caller, ticket, reply = std::move(reply)]() mutable {
      if (auto it = callers_.find(caller.value); it != callers_.end())
        it->second->on_reply(ticket, reply);
    });
  }

  std::string show() const {
    std::string text;
    for (auto& [name, contents] : queues_) {
      text += name + ":";
      for (auto& content : contents) text.append(" ").append(content.payload().substr(0, 20));
      text += ";";
    }
    return text + (leased_.empty() ? "" : " leased " + std::to_string(leased_.size()));
  }
  void store(const std::string& queue, base::BytesView payload) {
    queues_[queue].push_back(broker::Content({}, payload));
  }

  bool slow = false;

 private:
  struct Lease {
    broker::CallerId holder;
    std::string queue;
    broker::Content content;
  };

  broker::Reply carry_out(broker::CallerId caller, broker::Command& command) {
    if (auto* put = std::get_if<broker::Put>(&command)) {
      if (put->queue == "full") return base::Error{base::Errc::limit_reached, ""};
      queues_[std::string(put->queue)].push_back(std::move(put->content));
      return broker::Stored{};
    }
    if (auto* take = std::get_if<broker::Take>(&command)) {
      std::string queue(take->queue);
      auto& contents = queues_[queue];
      if (contents.empty()) return broker::TakeEnded{.missing = 1};
      broker::Delivery delivery;
      delivery.id = {++last_id_};
      delivery.token = {7};
      delivery.queue = queue;
      delivery.content = contents.front();
      leased_[last_id_] = {caller, queue, contents.front()};
      contents.pop_front();
      return delivery;
    }
    if (auto* ack = std::get_if<broker::Ack>(&command)) leased_.erase(ack->id.value);
    if (auto* release = std::get_if<broker::Release>(&command)) {
      Lease& lease = leased_[release->id.value];
      queues_[lease.queue].push_front(std::move(lease.content));
      leased_.erase(release->id.value);
    }
    return broker::Done{};
  }

  net::Loop& loop_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, broker::Caller*> callers_;
  std::map<std::string, std::deque<broker::Content>> queues_;
  std::map<uint64_t, Lease> leased_;
};

class KeepLog final : public base::LogSink {
 public:
  void write(base::LogLevel, const base::LogLine& line) override { lines.push_back(line.text()); }
  std::vector<std::string> lines;
};

// A door on a loop in its own thread, and the client's end of connections to it.
class World {
 public:
  explicit World(BeussOptions options = {}) : door(loop, engine, options, log) {
    thread_ = std::thread([this] { loop.run(); });
  }
  ~World() {
    for (int socket : sockets_) ::close(socket);
    on_loop([this] {
      for (net::Connection* c = loop.connections().first(); c; c = loop.connections().next(*c))
        c->abort(net::CloseReason::lost);
    });
    bool gone = false;
    while (!gone) on_loop([&] { gone = loop.connections().empty(); });
    loop.stop();
    thread_.join();
  }

  int connect() {
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    timeval patience{10, 0};
    ::setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    on_loop([&] {
      net::Connection::adopt(loop, pair[1], "test:1", {},
                             [&](net::Connection& connection) { return door.open(connection); });
    });
    sockets_.push_back(pair[0]);
    return pair[0];
  }
  int connect(const std::string& mode) {
    int socket = connect();
    CHECK(ask(socket, mode) == "OK");
    return socket;
  }
  void send(int socket, const std::string& bytes) {
    REQUIRE(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // Until the other side has read all of it, so that what follows comes in another read.
  void send_alone(int socket, const std::string& bytes) {
    send(socket, bytes);
    int unread = 1;
    while (unread > 0) REQUIRE(::ioctl(socket, SIOCOUTQ, &unread) == 0);
  }
  // The next bytes; "closed" at the end of the stream.
  std::string receive(int socket, size_t least = 1) {
    std::string bytes(200'000, '\0');
    size_t size = 0;
    while (size < least) {
      ssize_t count = ::recv(socket, bytes.data() + size, bytes.size() - size, 0);
      if (count <= 0) return count == 0 ? "closed" : "nothing came";
      size += static_cast<size_t>(count);
    }
    bytes.resize(size);
    return bytes;
  }
  std::string ask(int socket, const std::string& bytes) {
    send(socket, bytes);
    return receive(socket);
  }
  std::string show() {
    std::string text;
    on_loop([&] { text = engine.show(); });
    return text;
  }
  void on_loop(std::function<void()> task) {
    std::promise<void> done;
    loop.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  base::SystemClock clock;
  net::Loop loop{clock};
  FakeEngine engine{loop};
  KeepLog log;
  BeussDoor door;

 private:
  std::vector<int> sockets_;
  std::thread thread_;
};

std::string put_of(std::string name, const std::string& body) {
  name.resize(name_size, ' ');
  return name + body;
}

}  // namespace

TEST_CASE("beuss: what is put is got, in order, and then the queue is EMPTY") {
  World world;
  int putter = world.connect("PUT");
  int getter = world.connect("GET");
  CHECK(world.ask(putter, put_of("jobs", "one")) == "OK");
  CHECK(world.ask(putter, put_of("jobs", std::string("\0two\xff", 5))) == "OK");
  CHECK(world.ask(getter, "jobs") == "one");
  CHECK(world.ask(getter, "jobs") == std::string("\0two\xff", 5));
  CHECK(world.ask(getter, "jobs") == "EMPTY");
  CHECK(world.ask(getter, "never") == "EMPTY");
  CHECK(world.show() == "jobs:;never:;");
}

TEST_CASE("beuss: the same when the engine answers in a later turn") {
  World world;
  world.engine.slow = true;
  int putter = world.connect("PUT");
  int getter = world.connect("GET");
  CHECK(world.ask(putter, put_of("jobs", "one")) == "OK");
  CHECK(world.ask(getter, "jobs") == "one");
  CHECK(world.ask(getter, "jobs") == "EMPTY");
}

TEST_CASE("beuss: an unknown mode is closed without an answer, QUIT in any mode as well") {
  World world;
  int unknown = world.connect();
  CHECK(world.ask(unknown, "HELLO") == "closed");
  int quitter = world.connect("PUT");
  CHECK(world.ask(quitter, "QUIT") == "closed");
}

TEST_CASE("beuss: what cannot be stored is KO, and the connection stays open") {
  World world({.pause = std::chrono::milliseconds(1)});
  int putter = world.connect("PUT");
  CHECK(world.ask(putter, "tooshort") == "KO");
  CHECK(world.ask(putter, put_of("jobs", "")) == "KO");
  CHECK(world.ask(putter, put_of("full", "x")) == "KO");
  CHECK(world.ask(putter, put_of("bad name", "x")) == "KO");
  CHECK(world.ask(putter, put_of("jobs", "x")) == "OK");
  CHECK(world.door.counters().errors.value() == 4);
  int getter = world.connect("GET");
  CHECK(world.ask(getter, std::string(201, 'n')) == "KO");
  CHECK(world.ask(getter, "jobs") == "x");
}

TEST_CASE("beuss: a message in pieces is one message, wherever it is split") {
  World world({.pause = std::chrono::seconds(1)});
  int putter = world.connect();
  world.send_alone(putter, "P");
  CHECK(world.ask(putter, "UT") == "OK");
  std::string message = put_of("jobs", std::string(5000, 'x'));
  for (size_t split : {1, 31, 32, 1300, 1448, 4999}) {
    CAPTURE(split);
    // The last piece is read together with nothing, so the full pause would pass: the client
    // says that it has ended instead.
    int one_shot = world.connect("PUT");
    world.send_alone(one_shot, message.substr(0, split));
    world.send(one_shot, message.substr(split));
    ::shutdown(one_shot, SHUT_WR);
    CHECK(world.receive(one_shot) == "OK");
    int getter = world.connect("GET");
    CHECK(world.ask(getter, "jobs") == message.substr(name_size));
    CHECK(world.ask(getter, "jobs") == "EMPTY");
  }
}

TEST_CASE("beuss: a long message ends with a pause, and a longer one is cut and counted") {
  World world({.message_bytes_max = 4096, .pause = std::chrono::milliseconds(20)});
  int putter = world.connect("PUT");
  std::string body(10'000, 'x');
  CHECK(world.ask(putter, put_of("jobs", body)) == "OK");
  CHECK(world.ask(putter, put_of("jobs", "next")) == "OK");
  int getter = world.connect("GET");
  CHECK(world.ask(getter, "jobs") == body.substr(0, 4096 - name_size));
  CHECK(world.ask(getter, "jobs") == "next");
  CHECK(world.door.cuts().value() == 1);
  world.on_loop([&] {
    REQUIRE(world.log.lines.size() == 1);
    CHECK(world.log.lines[0] == "event=message_cut door=beuss limit_bytes=4096 count=1");
  });
}

TEST_CASE("beuss: a half-closed connection's last message is carried out and answered") {
  for (bool slow : {false, true}) {
    World world({.pause = std::chrono::seconds(30)});
    world.engine.slow = slow;
    int putter = world.connect("PUT");
    world.send(putter, put_of("jobs", std::string(3000, 'x')));
    ::shutdown(putter, SHUT_WR);
    CHECK(world.receive(putter) == "OK");
    CHECK(world.receive(putter) == "closed");
    CHECK(world.show().starts_with("jobs: xxx"));
  }
}

TEST_CASE("beuss: messages that its clients could not read stay for other doors") {
  World world({.message_bytes_max = 4096});
  world.on_loop([&] {
    world.engine.store("empty", "");
    world.engine.store("large", std::string(4097, 'x'));
  });
  int getter = world.connect("GET");
  CHECK(world.ask(getter, "empty") == "KO");
  CHECK(world.ask(getter, "large") == "KO");
  CHECK(world.show() == "empty: ;large: xxxxxxxxxxxxxxxxxxxx;");
  CHECK(world.door.undeliverable().value() == 2);
}

TEST_CASE("beuss: a message is done once its last byte has left, and goes back if it does not") {
  World world({.message_bytes_max = size_t{8} << 20});
  std::string large(size_t{4} << 20, 'x');
  world.on_loop([&] { world.engine.store("jobs", large); });
  int lost = world.connect("GET");
  world.send_alone(lost, "jobs");
  // More than the socket holds: some of it waits in the broker.
  CHECK(world.receive(lost).size() > 0);
  CHECK(world.show() == "jobs:; leased 1");
  ::shutdown(lost, SHUT_RDWR);
  while (world.show() != "jobs: xxxxxxxxxxxxxxxxxxxx;") std::this_thread::yield();

  int getter = world.connect("GET");
  world.send(getter, "jobs");
  size_t got = 0;
  while (got < large.size()) got += world.receive(getter).size();
  while (world.show() != "jobs:;") std::this_thread::yield();
}

TEST_CASE("beuss: a stop finishes what was begun and closes") {
  World world({.pause = std::chrono::milliseconds(50)});
  int idle = world.connect("GET");
  int begun = world.connect("PUT");
  world.send_alone(begun, put_of("jobs", std::string(3000, 'x')));
  world.on_loop([&] {
    for (net::Connection* c = world.loop.connections().first(); c;
         c = world.loop.connections().next(*c))
      c->session().on_stop();
  });
  CHECK(world.receive(idle) == "closed");
  CHECK(world.receive(begun) == "OK");
  CHECK(world.receive(begun) == "closed");
  CHECK(world.show().starts_with("jobs: xxx"));
}

TEST_CASE("beuss: connections are counted") {
  World world;
  int one = world.connect("PUT");
  world.connect("GET");
  CHECK(world.door.counters().connections.value() == 2);
  CHECK(world.ask(one, "QUIT") == "closed");
  ::shutdown(one, SHUT_WR);
  while (world.door.counters().connections.value() != 1) std::this_thread::yield();
  CHECK(world.door.counters().connections_total.value() == 2);
}
