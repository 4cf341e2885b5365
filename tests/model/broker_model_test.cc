// The real broker beside the obvious one, through random commands on a clock wound by hand.
#include "tests/model/broker_model.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "tests/model/command_maker.h"

#include "tram/base/testing/seeds.h"
#include "tram/broker/testing/effects_text.h"

using namespace tram::broker;
using namespace tram::test;
using tram::base::Time;
using tram::base::testing::seeds;

namespace {

constexpr int steps = 400;

std::string totals_text(const Totals& t) {
  return fmt::format(
      "queues={} ready={} leased={} bytes={} waiting={} puts={} deliveries={} redeliveries={} "
      "acks={} releases={} expired={} mailboxes={} messages={} drops={}",
      t.queues, t.ready, t.leased, t.stored_bytes, t.waiting_takers, t.puts, t.deliveries,
      t.redeliveries, t.acks, t.releases, t.leases_expired, t.mailboxes, t.mailbox_messages,
      t.mailbox_drops);
}

struct Run {
  std::string transcript;
  std::string difference;  // Empty: they agreed to the end.
};

// One life of both. Stops at the first difference.
Run run(uint64_t seed) {
  CommandMaker maker(seed);
  Limits limits = maker.limits();
  auto shard = static_cast<uint32_t>(maker.random().below(shards_max));
  Broker broker(shard, limits);
  BrokerModel model(shard, limits);
  Time now = Time::from_nanoseconds(static_cast<int64_t>(maker.random().below(1'000'000'000)));
  Effects effects, expected;
  Run run;
  for (uint64_t step = 1; step <= steps; ++step) {
    effects.clear();
    expected.clear();
    if (maker.random().one_in(3)) {
      now = maker.random().one_in(4) && broker.next_deadline() != Time::never()
                ? std::max(now, broker.next_deadline())
                : now + maker.duration(15);
    }
    if (maker.random().one_in(4)) {
      broker.advance(now, effects);
      model.advance(now, expected);
    } else {
      Command command = maker.next(step);
      CallerId caller = maker.caller();
      model.apply(command, caller, {step}, now, expected);
      broker.apply(command, caller, {step}, now, effects);
    }
    broker.check_invariants();
    maker.learn(effects);
    std::string got = text_of(effects) + totals_text(broker.totals()) +
                      fmt::format(" next={}\n", broker.next_deadline().nanoseconds());
    std::string wanted = text_of(expected) + totals_text(model.totals()) +
                         fmt::format(" next={}\n", model.next_deadline().nanoseconds());
    run.transcript += got;
    if (got != wanted) {
      run.difference = fmt::format("step {}\n--- broker\n{}--- model\n{}", step, got, wanted);
      return run;
    }
  }
  return run;
}

}  // namespace

TEST_CASE("the broker does what the obvious broker does, whatever is asked of it and when") {
  for (uint64_t seed : seeds(TRAM_SEEDS_FILE, 500)) {
    INFO("TRAM_SEED=", seed, " TRAM_SEEDS=1");  // Said also when an invariant stops the program.
    Run once = run(seed);
    REQUIRE_MESSAGE(once.difference.empty(), once.difference);
  }
}

TEST_CASE("the same calls in the same order give the same effects, byte for byte") {
  for (uint64_t seed : seeds(TRAM_SEEDS_FILE, 100)) {
    CAPTURE(seed);
    REQUIRE(run(seed).transcript == run(seed).transcript);
  }
}

TEST_CASE("the random commands reach every kind of reply and every counter") {
  // Otherwise agreement would mean little.
  std::string all;
  for (uint64_t seed = 1; seed <= 200; ++seed) all += run(seed).transcript;
  for (auto part : {"stored ",
                    "ended waited",
                    "ended at once",
                    "attempt=3",
                    "queues [",
                    "mailbox 1",
                    "expired ",
                    "done ",
                    "invalid_queue_name",
                    "invalid_argument",
                    "invalid_subject",
                    "limit_reached",
                    "lease_ended",
                    "message_not_found",
                    "queue_not_found",
                    "mailbox_not_found",
                    "overflow",
                    "with headers",
                    "takers wait there already",
                    "queues already",
                    "mailboxes already",
                    "open already",
                    "stores at most"}) {
    CAPTURE(std::string(part));
    CHECK(all.find(part) != std::string::npos);
  }
  for (auto counter : {"releases", "expired", "drops", "redeliveries", "waiting"}) {
    CAPTURE(std::string(counter));
    CHECK(all.find(fmt::format(" {}=2", counter)) != std::string::npos);
  }
}
