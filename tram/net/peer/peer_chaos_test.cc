// Messages flow while their connections are cut at random. TRAM_PEER_MESSAGES says how many
// (20,000); peer_chaos_seeds.txt, TRAM_SEEDS (0) and TRAM_SEED with which seeds. `make chaos` does
// it at length. One seed in four goes through TLS, in which a cut leaves half a record.
//
// A seed decides what is said and where it is cut; who is faster is the machine's. So one that
// failed may have to be tried some times before it fails again.
#include <cstdio>
#include <cstdlib>
#include <doctest/doctest.h>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

#include "tram/base/system_clock.h"
#include "tram/base/testing/seeds.h"
#include "tram/net/peer.h"
#include "tram/net/testing/certificates.h"
#include "tram/net/testing/cutter.h"

using namespace std::chrono_literals;
using namespace tram::net;
using tram::base::Result;
using tram::net::testing::Authority;
using tram::net::testing::Cutter;

namespace {

uint64_t message_count() {
  return tram::base::testing::number_from_environment("TRAM_PEER_MESSAGES", 20'000);
}

// One line on a terminal that says how far it is, for who waits; gone in the end.
class Progress {
 public:
  Progress(uint64_t seed, uint64_t count)
      : seed_(seed), count_(count), shown_(count >= 100'000 && ::isatty(STDERR_FILENO) == 1) {}
  Progress(const Progress&) = delete;
  ~Progress() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  void at(uint64_t message) const {
    if (!shown_ || message % (count_ / 100) != 0) return;
    std::fprintf(stderr, "\rseed %llu: %3llu %%", static_cast<unsigned long long>(seed_),
                 static_cast<unsigned long long>(message * 100 / count_));
  }

 private:
  uint64_t seed_;
  uint64_t count_;
  bool shown_;
};

// What is known of one message in the end.
struct Fate {
  uint8_t arrived = 0;
  uint8_t confirmed = 0;
  uint8_t lost = 0;
};

struct Outcome {
  std::vector<Fate> fates;
  std::vector<uint32_t> arrivals;  // In their order.
  uint64_t cuts = 0;
};

// Sends so many through a cutter, each with its number and some more bytes, waits for all to be
// settled, and says what became of each.
Outcome flow(Confirm confirm, uint64_t count, uint64_t seed,
             const std::optional<TlsOptions>& tls = {}) {
  Outcome outcome;
  outcome.fates.resize(count);
  tram::base::SystemClock clock;
  auto receiver = Peer::open({.listen = {"127.0.0.1:0"},
                              .tls = tls,
                              .on_datagram =
                                  [&](const Datagram& datagram) {
                                    if (datagram.error) return;
                                    auto number = static_cast<uint32_t>(std::strtoul(
                                        std::string(datagram.data).c_str(), nullptr, 10));
                                    ++outcome.fates.at(number).arrived;
                                    outcome.arrivals.push_back(number);
                                  }},
                             clock);
  REQUIRE(receiver);
  {
    tram::base::Random random(seed);
    // About ten times what may be under way at once.
    Cutter cutter((*receiver)->address(), seed, 400'000);
    auto sender = Peer::open({.tls = tls,
                              .confirm = confirm,
                              .waiting_max = 20'000,
                              .close_max = 30s,
                              .backoff = {.first = 100us, .most = 1ms},
                              .seed = seed},
                             clock);
    REQUIRE(sender);
    Progress progress(seed, count);
    for (uint32_t i = 0; i < count; ++i) {
      progress.at(i);
      std::string body = std::to_string(i) + " ";
      body.resize(body.size() + (random.one_in(200) ? random.below(10'000) : random.below(100)),
                  '.');
      Fate* fate = &outcome.fates[i];
      REQUIRE((*sender)->send(cutter.address(), body, [fate](Result<> result) {
        ++(result ? fate->confirmed : fate->lost);
      }));
    }
    (*sender)->close();
    outcome.cuts = cutter.cuts();
  }
  (*receiver)->close();
  return outcome;
}

}  // namespace

TEST_CASE(
    "connections are cut at random: what was confirmed as received arrived once and in order, "
    "and of everything else the sender was told") {
  uint64_t count = message_count();
  Authority authority;
  for (uint64_t seed : tram::base::testing::seeds(TRAM_SEEDS_FILE, 0)) {
    INFO("TRAM_SEED=", seed);
    bool secure = seed % 4 == 0;
    Outcome outcome = flow(Confirm::received, count, seed,
                           secure ? std::optional(authority.issue()) : std::nullopt);
    uint64_t told_otherwise = 0;
    uint64_t not_once = 0;
    uint64_t confirmed = 0;
    uint64_t lost_and_arrived = 0;
    for (const Fate& fate : outcome.fates) {
      told_otherwise += fate.confirmed + fate.lost != 1;
      not_once += fate.confirmed ? fate.arrived != 1 : fate.arrived > 1;
      confirmed += fate.confirmed;
      lost_and_arrived += fate.lost && fate.arrived;
    }
    uint64_t out_of_order = 0;
    uint32_t last = 0;
    for (uint32_t number : outcome.arrivals) {
      if (!outcome.fates[number].confirmed) continue;
      out_of_order += number < last;
      last = number;
    }
    std::string through = secure ? " through TLS" : "";
    MESSAGE("seed " << seed << ": " << count << " messages" << through << ", " << outcome.cuts
                    << " cuts: " << confirmed << " confirmed, " << count - confirmed
                    << " told lost, of which " << lost_and_arrived << " arrived");
    CHECK(told_otherwise == 0);
    CHECK(not_once == 0);
    CHECK(out_of_order == 0);
    CHECK(outcome.cuts > 3);
    CHECK(confirmed > count / 2);
    CHECK(confirmed < count);  // Otherwise nothing was tried.
  }
}

TEST_CASE(
    "connections are cut at random: handed to the kernel is told once, arrives once at most, "
    "and may be lost") {
  uint64_t count = message_count();
  size_t arrived = 0;
  for (uint64_t seed : tram::base::testing::seeds(TRAM_SEEDS_FILE, 0)) {
    INFO("TRAM_SEED=", seed);
    Outcome outcome = flow(Confirm::handed, count, seed);
    uint64_t told_otherwise = 0;
    uint64_t twice = 0;
    for (const Fate& fate : outcome.fates) {
      told_otherwise += fate.confirmed + fate.lost != 1;
      twice += fate.arrived > 1;
    }
    CHECK(told_otherwise == 0);
    CHECK(twice == 0);
    CHECK(outcome.cuts > 0);
    arrived += outcome.arrivals.size();
  }
  // How many is the kernels' affair: each cut takes all that they hold, which with a fast sender is
  // most of what was sent since the last.
  CHECK(arrived > 0);
}
