// The life of a stored message, told command by command.
#include <doctest/doctest.h>

#include "tram/broker/testing/world.h"

using namespace tram::broker;
using namespace std::chrono_literals;
using tram::test::text_of;
using tram::test::World;

namespace {

// The payloads in the order of delivery, and what else was said in brackets.
std::string short_text(const std::string& said) {
  std::string text;
  for (size_t at = 0; at < said.size(); at = said.find('\n', at) + 1) {
    std::string line = said.substr(at, said.find('\n', at) - at);
    std::string what = line.substr(line.find(' ') + 1);
    bool delivery = what.find(" from ") != std::string::npos;
    if (!text.empty()) text += ' ';
    text += delivery ? what.substr(0, what.find(' ')) : "(" + what + ")";
  }
  return text;
}

}  // namespace

TEST_CASE(
    "messages are taken in the order in which they were put, and are gone once acknowledged") {
  World world;
  CHECK(world.put("jobs", "a") == "1.1 stored 1/0 memory\n");
  CHECK(world.put("jobs", "b") == "1.2 stored 2/0 memory\n");
  world.advance(5ns);
  CHECK(world.take("jobs") == "1.3 a from jobs id=1/0 token=1 attempt=1 remaining=0 age=5ns\n");
  CHECK(world.show("jobs") == "ready 1 leased 1");
  CHECK(short_text(world.ack()) == "(done 1)");
  CHECK(short_text(world.ack()).starts_with("(message_not_found"));
  CHECK(short_text(world.take("jobs")) == "b");
  CHECK(short_text(world.take("jobs")) == "(ended at once missing=1)");
}

TEST_CASE("a message whose lease runs out goes back to its old place in line") {
  World world;
  world.put("jobs", "a");
  world.put("jobs", "b");
  CHECK(short_text(world.take("jobs", {.lease = 30s})) == "a");
  CHECK(world.advance(29s) == "");
  CHECK(world.show("jobs") == "ready 1 leased 1");
  CHECK(world.advance(1s) == "");
  CHECK(world.show("jobs") == "ready 2 leased 0");
  CHECK(short_text(world.ack()).starts_with("(lease_ended"));
  CHECK(world.take("jobs").find("a from jobs id=1/0 token=2 attempt=2") != std::string::npos);
  CHECK(world.broker().totals().leases_expired == 1);
  CHECK(world.broker().totals().redeliveries == 1);
}

TEST_CASE("released messages keep their order, however late and in whatever order they return") {
  World world;
  std::vector<Delivery> held;
  for (auto name : {"a", "b", "c", "d"}) world.put("jobs", name);
  for (int i = 0; i < 3; ++i) {
    world.take("jobs");
    held.push_back(world.held());
  }
  for (int i : {2, 0, 1}) {
    world.hold(held[static_cast<size_t>(i)]);
    CHECK(short_text(world.release()) == "(done 1)");
  }
  CHECK(short_text(world.take("jobs", {.count = 4})) == "a b c d");
}

TEST_CASE("a release that was no attempt is not counted as one") {
  World world;
  world.put("jobs", "a");
  world.take("jobs");
  world.release(false);
  world.take("jobs");
  CHECK(world.held().attempt == 1);
  world.release(true);
  world.take("jobs");
  CHECK(world.held().attempt == 2);
}

TEST_CASE("another's lease is never touched") {
  World world;
  world.put("jobs", "a");
  world.take("jobs", {.lease = 1s});
  Delivery first = world.held();
  world.advance(1s);
  world.take("jobs", {.lease = 1s});
  Delivery second = world.held();
  world.hold(first);
  CHECK(short_text(world.ack()).starts_with("(lease_ended"));
  CHECK(short_text(world.release()).starts_with("(lease_ended"));
  CHECK(short_text(world.extend(5s)).starts_with("(lease_ended"));
  world.hold(second);
  CHECK(short_text(world.ack()) == "(done 1)");
}

TEST_CASE("a lease can be made longer, shorter, and as long as it was granted for") {
  World world;
  world.put("jobs", "a");
  world.take("jobs", {.lease = 10s});
  CHECK(short_text(world.extend(60s)) == "(done 1)");
  world.advance(59s);
  CHECK(world.show("jobs") == "ready 0 leased 1");
  CHECK(short_text(world.extend({})) == "(done 1)");
  CHECK(world.broker().next_deadline() == world.now() + 10s);
  CHECK(short_text(world.extend(1s)) == "(done 1)");
  world.advance(1s);
  CHECK(world.show("jobs") == "ready 1 leased 0");
  CHECK(short_text(world.extend(25h)).starts_with("(invalid_argument"));
}

TEST_CASE("who waits is served first come, first served") {
  World world;
  CHECK(world.take("jobs", {.wait = 10s}, 1) == "");
  CHECK(world.take("jobs", {.wait = 5s}, 2) == "");
  CHECK(world.put("jobs", "a").find("\n1.1 a from") != std::string::npos);
  CHECK(world.put("jobs", "b").find("\n2.2 b from") != std::string::npos);
  CHECK(short_text(world.put("jobs", "c")) == "(stored 3/0 memory)");
}

TEST_CASE("a take that waited in vain is told so at its time") {
  World world;
  world.take("jobs", {.count = 3, .wait = 10s});
  CHECK(world.broker().next_deadline() == world.now() + 10s);
  CHECK(world.advance(9s) == "");
  CHECK(short_text(world.advance(1s)) == "(ended waited missing=3)");
  CHECK(short_text(world.put("jobs", "a")) == "(stored 1/0 memory)");
}

TEST_CASE("after the first message a take lingers for the rest, and no longer") {
  World world;
  world.take("jobs", {.count = 3, .wait = 60s, .linger = 2s});
  CHECK(short_text(world.put("jobs", "a")) == "(stored 1/0 memory) a");
  world.advance(1s);
  CHECK(short_text(world.put("jobs", "b")) == "(stored 2/0 memory) b");
  CHECK(short_text(world.advance(1s)) == "(ended waited missing=1)");
  CHECK(short_text(world.put("jobs", "c")) == "(stored 3/0 memory)");
  CHECK(short_text(world.take("jobs", {.count = 2, .linger = 2s})) == "c");
  CHECK(short_text(world.put("jobs", "d")) == "(stored 4/0 memory) d");
}

TEST_CASE("a take that does not linger ends with its first message") {
  World world;
  world.take("jobs", {.count = 3, .wait = 60s});
  CHECK(short_text(world.put("jobs", "a")) == "(stored 1/0 memory) a (ended at once missing=2)");
}

TEST_CASE("a take that is stopped has one last reply, like any other, and nothing after it") {
  World world;
  CHECK(world.put("jobs", "a") == "1.1 stored 1/0 memory\n");
  CHECK(short_text(world.take("jobs", {.count = 3, .linger = 10s})) == "a");
  CHECK(world.run(StopTaking{"jobs", {2}}, 7) == "");  // Not its own.
  CHECK(world.run(StopTaking{"jobs", {2}}) == "1.2 ended at once missing=2\n");
  CHECK(world.run(StopTaking{"jobs", {2}}) == "");
  CHECK(world.put("jobs", "b") == "1.6 stored 2/0 memory\n");
  CHECK(world.advance(10s) == "");
}

TEST_CASE("a message released while someone waits goes to whoever waits") {
  World world;
  world.put("jobs", "a");
  world.take("jobs", {}, 1);
  world.take("jobs", {.wait = 10s}, 2);
  CHECK(world.release().find("2.3 a from jobs id=1/0 token=2 attempt=2") != std::string::npos);
}

TEST_CASE("a caller that departs gives back what it held, oldest first, and waits no more") {
  World world;
  for (auto name : {"a", "b", "c"}) world.put("jobs", name);
  world.take("jobs", {.count = 2}, 7);
  world.take("jobs", {.bound_to_caller = false}, 7);
  world.take("other", {.wait = 10s}, 7);
  world.take("jobs", {.wait = 10s}, 8);
  std::string said = world.run(Depart{}, 7);
  CHECK(short_text(said) == "a");
  CHECK(said.starts_with("8."));
  CHECK(world.show("jobs") == "ready 1 leased 2");  // c's lease was not bound to the caller.
  CHECK(short_text(world.put("other", "x")) == "(stored 4/0 memory)");
}

TEST_CASE("a queue that is empty and unused is gone after a while; looking at it is no use") {
  World world({.queue_idle_expiry = 60s});
  world.put("jobs", "a");
  world.advance(1h);
  CHECK(world.show("jobs") == "ready 1 leased 0");
  world.take("jobs");
  world.ack();
  world.advance(59s);
  CHECK(world.show("jobs") == "ready 0 leased 0");
  world.run(ListQueues{});
  world.advance(1s);
  CHECK(world.show("jobs").starts_with("queue_not_found"));
  CHECK(world.broker().totals().queues == 0);
  CHECK(world.broker().next_deadline() == tram::base::Time::never());
}

TEST_CASE("a take that would not wait makes no queue, one that waits does") {
  World world;
  CHECK(short_text(world.take("jobs")) == "(ended at once missing=1)");
  CHECK(world.show("jobs").starts_with("queue_not_found"));
  world.take("jobs", {.wait = 1s});
  CHECK(world.show("jobs") == "ready 0 leased 0");
}

TEST_CASE("purging takes what is ready and leaves what is leased") {
  World world;
  for (auto name : {"a", "b", "c"}) world.put("jobs", name);
  world.take("jobs");
  CHECK(short_text(world.run(PurgeQueue{"jobs"})) == "(done 2)");
  CHECK(world.show("jobs") == "ready 0 leased 1");
  CHECK(short_text(world.ack()) == "(done 1)");
  CHECK(short_text(world.run(PurgeQueue{"none"})).starts_with("(queue_not_found"));
}

TEST_CASE("deleting a queue takes everything in it, and whoever waits goes on waiting") {
  World world;
  world.put("jobs", "a");
  world.put("jobs", "b");
  world.take("jobs");
  CHECK(short_text(world.run(DeleteQueue{"jobs"})) == "(done 2)");
  CHECK(short_text(world.ack()).starts_with("(message_not_found"));
  CHECK(world.show("jobs").starts_with("queue_not_found"));
  world.take("jobs", {.wait = 10s});
  CHECK(short_text(world.run(DeleteQueue{"jobs"})) == "(done 0)");
  CHECK(short_text(world.put("jobs", "c")) == "(stored 3/0 memory) c");
  CHECK(short_text(world.run(DeleteQueue{"none"})).starts_with("(queue_not_found"));
}

TEST_CASE("queues are listed by name, with what is in them") {
  World world;
  world.put("b", "xx");
  world.put("a", "x");
  world.take("a");
  world.advance(3ns);
  CHECK(world.run(ListQueues{}) ==
        "1.4 queues [a: ready=0 leased=1 bytes=1 waiting=0 puts=1 deliveries=1 redeliveries=0 "
        "acks=0 oldest=0ns] [b: ready=1 leased=0 bytes=2 waiting=0 puts=1 deliveries=0 "
        "redeliveries=0 acks=0 oldest=3ns]\n");
}

TEST_CASE("each limit refuses by name, and what was refused changes nothing") {
  Limits limits;
  limits.queues_max = 1;
  limits.waiting_takers_max = 1;
  limits.stored_bytes_max = 2 * Limits::message_overhead + 10;
  World world(limits);
  CHECK(short_text(world.put("not good", "x")).starts_with("(invalid_queue_name"));
  CHECK(short_text(world.put("a", "12345")) == "(stored 1/0 memory)");
  CHECK(short_text(world.put("b", "x")) ==
        "(limit_reached: a limit of the broker has been reached (there are 1 queues already))");
  CHECK(short_text(world.take("b", {.wait = 1s})).starts_with("(limit_reached"));
  CHECK(short_text(world.put("a", "123456")).starts_with("(limit_reached"));
  CHECK(short_text(world.put("a", "12345")) == "(stored 2/0 memory)");
  CHECK(short_text(world.put("a", "")).starts_with("(limit_reached"));  // Not free either.
  CHECK(short_text(world.take("a", {.count = 2})) == "12345 12345");
  CHECK(world.take("a", {.wait = 1s}) == "");
  CHECK(short_text(world.take("a", {.wait = 1s})).starts_with("(limit_reached"));
  CHECK(world.show("a") == "ready 0 leased 2");
}

TEST_CASE("a take says what is wrong with it") {
  struct Row {
    Take take;
    const char* said;
  };
  World world;
  for (const Row& row :
       {Row{{.count = 0}, "count must be 1 to 10000"},
        Row{{.count = 10'001}, "count must be 1 to 10000"},
        Row{{.wait = 61min}, "wait must be 0 to 1 h"}, Row{{.wait = -1ns}, "wait must be 0 to 1 h"},
        Row{{.linger = 61min}, "linger must be 0 to 1 h"},
        Row{{.lease = 999us}, "lease must be 1 ms to 24 h"},
        Row{{.lease = 25h}, "lease must be 1 ms to 24 h"}}) {
    CHECK(short_text(world.take("jobs", row.take)) ==
          fmt::format("(invalid_argument: {} ({}))",
                      sentence_of(tram::base::Errc::invalid_argument), row.said));
  }
  CHECK(short_text(world.take("", {})).starts_with("(invalid_queue_name"));
}

TEST_CASE("what is due by now is done before the command, however rarely advance is called") {
  World world;
  world.put("jobs", "a");
  world.take("jobs", {.lease = 1s});
  Effects effects;
  Command late = Ack{"jobs", world.held().id, world.held().token};
  world.broker().apply(late, {1}, {99}, world.now() + 1s, effects);
  CHECK(text_of(effects).starts_with("1.99 lease_ended"));
}

TEST_CASE("a message id carries its shard, and grows") {
  Broker broker(7, {});
  Effects effects;
  for (int i = 0; i < 2; ++i) {
    Command put = Put{"jobs", Content("", "x")};
    broker.apply(put, {1}, {1}, {}, effects);
  }
  CHECK(text_of(effects) == "1.1 stored 1/7 memory\n1.1 stored 2/7 memory\n");
}
