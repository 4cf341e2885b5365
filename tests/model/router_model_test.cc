// The router beside brute force: every subscription held against every subject.
#include <algorithm>
#include <doctest/doctest.h>
#include <map>
#include <string>
#include <vector>

#include "tram/base/random.h"
#include "tram/base/testing/seeds.h"
#include "tram/broker/router.h"

using namespace tram::broker;
using tram::base::Random;
using tram::base::testing::seeds;

namespace {

struct Row {
  SubscriptionId id;
  std::string pattern, group;
};

// Over so small an alphabet that much of it matches; now and then deeper than the trie goes.
std::string random_text(Random& random, bool pattern) {
  uint64_t tokens = 1 + random.below(4);
  std::string text;
  if (random.one_in(10)) {
    for (int i = 0; i < 15; ++i) text += pattern && random.one_in(2) ? "*." : "a.";
  }
  for (uint64_t i = 0; i < tokens; ++i) {
    if (i > 0) text += '.';
    uint64_t choice = random.below(pattern ? 6 : 3);
    if (choice == 5 && i + 1 == tokens) {
      text += '>';
    } else if (choice >= 3) {
      text += '*';
    } else {
      text += static_cast<char>('a' + choice);
    }
  }
  return text;
}

struct World {
  Router router;
  std::vector<Row> rows;
  uint64_t last_id = 0;

  void subscribe(std::string pattern, std::string group) {
    rows.push_back({{++last_id}, std::move(pattern), std::move(group)});
    router.subscribe(rows.back().id, rows.back().pattern, rows.back().group);
  }
  void unsubscribe(size_t index) {
    Row row = rows[index];
    REQUIRE(router.unsubscribe(row.id, row.pattern, row.group));
    REQUIRE_FALSE(router.unsubscribe(row.id, row.pattern, row.group));
    rows.erase(rows.begin() + static_cast<ptrdiff_t>(index));
    REQUIRE(router.size() == rows.size());
  }
  // By group, and "" for the plain ones: who would get it.
  std::map<std::string, std::vector<SubscriptionId>> eligible(const std::string& subject) const {
    std::map<std::string, std::vector<SubscriptionId>> found;
    for (const Row& row : rows)
      if (matches(row.pattern, subject)) found[row.group].push_back(row.id);
    return found;
  }
};

// Holds one routing against brute force, and returns whom it chose of each group.
std::map<std::string, SubscriptionId> check_route(World& world, const std::string& subject) {
  auto span = world.router.route(subject);
  std::vector<SubscriptionId> got(span.begin(), span.end());
  auto eligible = world.eligible(subject);
  std::vector<SubscriptionId> plain;
  std::map<std::string, SubscriptionId> chosen;
  for (SubscriptionId id : got) {
    auto row = std::find_if(world.rows.begin(), world.rows.end(),
                            [&](const Row& one) { return one.id == id; });
    REQUIRE(row != world.rows.end());
    if (row->group.empty()) {
      plain.push_back(id);
    } else {
      REQUIRE(chosen.emplace(row->group, id).second);  // One member of each group.
      auto& members = eligible[row->group];
      REQUIRE(std::find(members.begin(), members.end(), id) != members.end());
    }
  }
  std::sort(plain.begin(), plain.end());
  REQUIRE(plain == eligible[""]);
  eligible.erase("");
  REQUIRE(chosen.size() == eligible.size());
  return chosen;
}

}  // namespace

TEST_CASE("the router reaches whom brute force reaches, and one member of each group") {
  for (uint64_t seed : seeds(TRAM_SEEDS_FILE, 300)) {
    INFO("TRAM_SEED=", seed, " TRAM_SEEDS=1");
    Random random(seed);
    World world;
    for (int step = 0; step < 300; ++step) {
      if (world.rows.empty() || random.one_in(3)) {
        std::string group = random.one_in(2) ? "" : random.one_in(2) ? "g" : "h";
        world.subscribe(random_text(random, true), group);
      } else if (random.one_in(4)) {
        world.unsubscribe(random.below(world.rows.size()));
      } else {
        check_route(world, random_text(random, false));
      }
    }
    while (!world.rows.empty()) world.unsubscribe(random.below(world.rows.size()));
    REQUIRE(world.router.route("a").empty());
  }
}

TEST_CASE("turns are fair: over whole rounds of one subject everyone is served equally often") {
  for (uint64_t seed : seeds(TRAM_SEEDS_FILE, 300)) {
    INFO("TRAM_SEED=", seed, " TRAM_SEEDS=1");
    Random random(seed);
    World world;
    for (int i = 0; i < 30; ++i) world.subscribe(random_text(random, true), "g");
    // Some history first, so that lines start anywhere.
    for (int i = 0; i < 20; ++i) world.router.route(random_text(random, false));
    std::string subject = random_text(random, false);
    size_t members = world.eligible(subject)["g"].size();
    std::map<SubscriptionId, int> served;
    for (size_t i = 0; i < 3 * members; ++i) ++served[check_route(world, subject)["g"]];
    REQUIRE(served.size() == members);
    for (auto& [id, times] : served) REQUIRE(times == 3);
  }
}

TEST_CASE("the same subscriptions and subjects give the same receivers in the same order") {
  auto transcript = [](uint64_t seed) {
    Random random(seed);
    Router router;
    std::string text;
    for (uint64_t i = 1; i <= 300; ++i) {
      router.subscribe({i}, random_text(random, true), random.one_in(2) ? "" : "g");
      for (auto id : router.route(random_text(random, false)))
        text += std::to_string(id.value) + " ";
    }
    return text;
  };
  for (uint64_t seed : seeds(TRAM_SEEDS_FILE, 20)) {
    CAPTURE(seed);
    REQUIRE(transcript(seed) == transcript(seed));
  }
}
