#include "tram/engines/embedded/loop_engine.h"

#include <atomic>
#include <doctest/doctest.h>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tram/base/system_clock.h"
#include "tram/engines/embedded/embedded_engine.h"

using namespace std::chrono_literals;
using namespace tram;
using engines::embedded::EmbeddedEngine;
using engines::embedded::LoopEngine;

namespace {

// A broker of several loops, each on a thread of its own.
class World {
 public:
  explicit World(size_t count) {
    std::vector<net::Loop*> all;
    for (size_t i = 0; i < count; ++i) {
      loops_.push_back(std::make_unique<net::Loop>(clock_));
      all.push_back(loops_.back().get());
    }
    engine_ = std::make_unique<EmbeddedEngine>(all, broker::Limits());
    for (net::Loop* loop : all) threads_.emplace_back([loop] { loop->run(); });
  }
  ~World() {
    for (auto& loop : loops_) loop->stop();
    for (auto& thread : threads_) thread.join();
  }
  // Runs `task` on a loop, with its engine, and waits for it.
  void on(size_t loop, std::function<void(LoopEngine&)> task) {
    std::promise<void> done;
    loops_[loop]->post([&] {
      task(engine_->on_loop(loop));
      done.set_value();
    });
    done.get_future().wait();
  }
  size_t size() const { return loops_.size(); }

 private:
  base::SystemClock clock_;
  std::vector<std::unique_ptr<net::Loop>> loops_;
  std::unique_ptr<EmbeddedEngine> engine_;
  std::vector<std::thread> threads_;
};

// Counts what it receives, and asserts that each publisher's numbers come in order.
class Counting final : public broker::Subscriber {
 public:
  explicit Counting(std::atomic<int>& total) : total_(total) {}
  broker::Receipt on_message(uint64_t, const broker::Publication& publication) override {
    size_t colon = publication.payload.find(':');
    int publisher = std::stoi(std::string(publication.payload.substr(0, colon)));
    int number = std::stoi(std::string(publication.payload.substr(colon + 1)));
    ordered = ordered && last_.try_emplace(publisher, -1).first->second < number;
    last_[publisher] = number;
    ++count;
    ++total_;
    return broker::Receipt::taken;
  }
  int count = 0;
  bool ordered = true;

 private:
  std::atomic<int>& total_;
  std::map<int, int> last_;
};

// Keeps its replies, and can be waited for.
class Listening final : public broker::Caller {
 public:
  void on_reply(broker::Ticket ticket, broker::Reply& reply) override {
    replies[ticket.value].push_back(std::move(reply));
    if (++count_ == wanted_) reached_.set_value();
  }
  std::future<void> expect(int count) {
    wanted_ = count;
    count_ = 0;
    reached_ = std::promise<void>();
    return reached_.get_future();
  }
  std::map<uint64_t, std::vector<broker::Reply>> replies;

 private:
  int count_ = 0;
  int wanted_ = 0;
  std::promise<void> reached_;
};

// Waits on `loop` until every loop knows of its subscriptions.
void settle(World& world, size_t loop) {
  auto caller = std::make_unique<Listening>();
  broker::CallerId id;
  std::future<void> known;
  bool already = false;
  world.on(loop, [&](LoopEngine& engine) {
    id = engine.enrol(*caller);
    known = caller->expect(1);
    already = engine.known_everywhere(id, {1});
  });
  if (!already) known.wait();
  world.on(loop, [&](LoopEngine& engine) { engine.depart(id); });
}

void publish(World& world, size_t loop, int count, size_t padding) {
  world.on(loop, [&](LoopEngine& engine) {
    for (int i = 0; i < count; ++i) {
      std::string payload = std::to_string(loop) + ":" + std::to_string(i);
      // The numbers must stay readable, so what pads is a second header line's worth of bytes.
      std::string headers = padding ? "NATS/1.0\r\n" + std::string(padding, 'h') : "";
      engine.publish({"a.b", {}, headers, payload, nullptr}, nullptr);
    }
  });
}

}  // namespace

TEST_CASE("every subscription on every loop gets each message once, in its publisher's order") {
  for (size_t loops : {1, 2, 3, 8}) {
    for (size_t padding : {0, 10'000}) {
      CAPTURE(loops);
      CAPTURE(padding);
      World world(loops);
      std::atomic<int> total = 0;
      std::vector<std::unique_ptr<Counting>> subscribers;
      std::vector<broker::SubscriptionId> ids;
      for (size_t loop = 0; loop < loops; ++loop) {
        subscribers.push_back(std::make_unique<Counting>(total));
        world.on(loop, [&](LoopEngine& engine) {
          ids.push_back(engine.subscribe(*subscribers[loop], 0, loop % 2 ? "a.*" : "a.b", {}));
        });
      }
      for (size_t loop = 0; loop < loops; ++loop) settle(world, loop);
      constexpr int count = 500;
      std::vector<std::thread> publishers;
      for (size_t loop = 0; loop < loops; ++loop)
        publishers.emplace_back([&, loop] { publish(world, loop, count, padding); });
      for (auto& thread : publishers) thread.join();
      int wanted = static_cast<int>(loops * loops) * count;
      while (total < wanted) std::this_thread::yield();
      for (size_t loop = 0; loop < loops; ++loop)
        world.on(loop, [&](LoopEngine& engine) {
          CHECK(subscribers[loop]->count == static_cast<int>(loops) * count);
          CHECK(subscribers[loop]->ordered);
          engine.drop(ids[loop]);
        });
    }
  }
}

TEST_CASE("a group over several loops gets each message once, and its members take turns") {
  World world(3);
  std::atomic<int> total = 0;
  std::vector<std::unique_ptr<Counting>> members;
  std::vector<broker::SubscriptionId> ids;
  for (size_t loop = 0; loop < 3; ++loop) {
    members.push_back(std::make_unique<Counting>(total));
    world.on(loop, [&](LoopEngine& engine) {
      ids.push_back(engine.subscribe(*members[loop], 0, "a.*", "g"));
    });
  }
  for (size_t loop = 0; loop < 3; ++loop) settle(world, loop);
  publish(world, 1, 300, 0);
  while (total < 300) std::this_thread::yield();
  for (size_t loop = 0; loop < 3; ++loop)
    world.on(loop, [&](LoopEngine& engine) {
      CHECK(members[loop]->count == 100);
      engine.drop(ids[loop]);
    });
  CHECK(total == 300);
}

TEST_CASE(
    "a group of which the publisher is a member serves the others, on whatever loop they are") {
  World world(2);
  std::atomic<int> total = 0;
  Counting publisher(total);
  Counting beside(total);
  Counting elsewhere(total);
  std::vector<broker::SubscriptionId> ids(4);
  // The other loop first: its member's number differs from the publisher's in nothing but the loop.
  world.on(1, [&](LoopEngine& engine) { ids[0] = engine.subscribe(elsewhere, 0, "a.b", "g"); });
  settle(world, 1);
  world.on(0, [&](LoopEngine& engine) {
    ids[1] = engine.subscribe(publisher, 0, "a.b", "g");
    ids[2] = engine.subscribe(beside, 0, "a.*", "g");
    ids[3] = engine.subscribe(publisher, 0, "a.b", "own");
    for (int i = 0; i < 100; ++i) {
      std::string payload = "0:" + std::to_string(i);
      CHECK(engine.publish({"a.b", {}, {}, payload, nullptr}, &publisher).receivers == 1);
    }
  });
  while (total < 100) std::this_thread::yield();
  world.on(0, [&](LoopEngine& engine) {
    for (size_t i : {1, 2, 3}) engine.drop(ids[i]);
  });
  world.on(1, [&](LoopEngine& engine) { engine.drop(ids[0]); });
  CHECK(publisher.count == 0);
  CHECK(beside.count == 50);
  CHECK(elsewhere.count == 50);
}

TEST_CASE("queues are reached from every loop, wherever their shard is, and listed in one piece") {
  World world(3);
  Listening caller;
  broker::CallerId id;
  std::future<void> stored;
  world.on(1, [&](LoopEngine& engine) {
    id = engine.enrol(caller);
    stored = caller.expect(20);
    for (uint64_t i = 0; i < 20; ++i) {
      std::string queue = "q" + std::to_string(i);
      engine.submit(id, {i + 1}, broker::Put{queue, broker::Content({}, queue)});
    }
  });
  stored.wait();
  std::future<void> listed;
  world.on(1, [&](LoopEngine& engine) {
    listed = caller.expect(1);
    engine.submit(id, {100}, broker::ListQueues{});
  });
  listed.wait();
  std::future<void> taken;
  world.on(1, [&](LoopEngine& engine) {
    auto& list = std::get<broker::QueueList>(caller.replies[100].at(0)).queues;
    REQUIRE(list.size() == 20);
    for (size_t i = 1; i < list.size(); ++i) CHECK(list[i - 1].name < list[i].name);
    taken = caller.expect(20);
    for (uint64_t i = 0; i < 20; ++i) {
      std::string queue = "q" + std::to_string(i);
      broker::Take take;
      take.queue = queue;
      engine.submit(id, {200 + i}, take);
    }
  });
  taken.wait();
  world.on(1, [&](LoopEngine& engine) {
    for (uint64_t i = 0; i < 20; ++i) {
      auto& delivery = std::get<broker::Delivery>(caller.replies[200 + i].at(0));
      CHECK(delivery.content.payload() == "q" + std::to_string(i));
    }
    engine.depart(id);  // Its twenty leases end with it.
  });
  Listening other;
  std::future<void> again;
  world.on(2, [&](LoopEngine& engine) {
    id = engine.enrol(other);
    again = other.expect(1);
    broker::Take take;
    take.queue = "q7";
    take.wait = 1h;  // The departure may still be on its way.
    engine.submit(id, {1}, take);
  });
  again.wait();
  world.on(2, [&](LoopEngine& engine) {
    CHECK(std::get<broker::Delivery>(other.replies[1].at(0)).attempt == 2);
    engine.depart(id);
  });
}

TEST_CASE("a mailbox opened on one loop gets what is published on another") {
  World world(3);
  Listening caller;
  broker::CallerId id;
  broker::MailboxId mailbox = broker::mailbox_id_from_random(1, 2);
  std::future<void> opened;
  world.on(2, [&](LoopEngine& engine) {
    id = engine.enrol(caller);
    opened = caller.expect(1);
    engine.submit(id, {1}, broker::OpenMailbox{mailbox, "a.*"});
  });
  opened.wait();
  std::future<void> reached;
  Listening publisher;
  broker::CallerId publisher_id;
  world.on(1, [&](LoopEngine& engine) {
    publisher_id = engine.enrol(publisher);
    reached = publisher.expect(2);
    engine.publish_checked(publisher_id, {1}, {"a.b", {}, {}, "hello", nullptr});
    engine.publish_checked(publisher_id, {2}, {"b.a", {}, {}, "nobody", nullptr});
  });
  reached.wait();
  world.on(1, [&](LoopEngine& engine) {
    CHECK(std::get<broker::Done>(publisher.replies[1].at(0)).count == 1);
    CHECK(std::get<base::Error>(publisher.replies[2].at(0)).code == base::Errc::no_responders);
    engine.depart(publisher_id);
  });
  std::future<void> fetched;
  world.on(2, [&](LoopEngine& engine) {
    fetched = caller.expect(1);
    engine.submit(id, {2}, broker::FetchMailbox{mailbox, "a.*"});
  });
  fetched.wait();
  world.on(2, [&](LoopEngine& engine) {
    auto& contents = std::get<broker::MailboxContents>(caller.replies[2].at(0));
    REQUIRE(contents.messages.size() == 1);
    CHECK(contents.messages[0].payload() == "hello");
    engine.depart(id);
  });
}

TEST_CASE("a subscriber that says it is spent gets nothing more, not even from another loop") {
  class Once final : public broker::Subscriber {
   public:
    broker::Receipt on_message(uint64_t, const broker::Publication&) override {
      ++count;
      return broker::Receipt::spent;
    }
    std::atomic<int> count = 0;
  };
  World world(2);
  Once once;
  world.on(0, [&](LoopEngine& engine) { engine.subscribe(once, 0, "a.b", {}); });
  settle(world, 0);
  publish(world, 1, 100, 0);
  settle(world, 1);
  while (once.count == 0) std::this_thread::yield();
  settle(world, 0);
  CHECK(once.count == 1);
}
