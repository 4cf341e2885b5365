#include "tram/broker/router.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <map>
#include <string>
#include <vector>

using namespace tram::broker;

namespace {

SubscriptionId id(uint64_t value) { return {value}; }

std::vector<uint64_t> routed(Router& router, BytesView subject) {
  std::vector<uint64_t> ids;
  for (SubscriptionId one : router.route(subject)) ids.push_back(one.value);
  return ids;
}

std::vector<uint64_t> sorted(std::vector<uint64_t> ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

using Ids = std::vector<uint64_t>;

}  // namespace

TEST_CASE("a message reaches every plain subscription that matches, and nobody else") {
  Router router;
  router.subscribe(id(1), "a.b", "");
  router.subscribe(id(2), "a.*", "");
  router.subscribe(id(3), ">", "");
  router.subscribe(id(4), "a.b", "");
  router.subscribe(id(5), "*.c", "");
  CHECK(sorted(routed(router, "a.b")) == Ids{1, 2, 3, 4});
  CHECK(sorted(routed(router, "a.c")) == Ids{2, 3, 5});
  CHECK(routed(router, "x") == Ids{3});
  CHECK(router.size() == 5);
}

TEST_CASE("one member of a group is chosen, in turns") {
  Router router;
  for (uint64_t i = 1; i <= 3; ++i) router.subscribe(id(i), "jobs", "workers");
  Ids got;
  for (int i = 0; i < 6; ++i) {
    Ids one = routed(router, "jobs");
    REQUIRE(one.size() == 1);
    got.push_back(one.front());
  }
  CHECK(got == Ids{1, 2, 3, 1, 2, 3});
}

TEST_CASE("a group on several patterns is one group, and turns are fair over all its members") {
  Router router;
  router.subscribe(id(1), "a.*", "g");
  router.subscribe(id(2), "a.x", "g");
  router.subscribe(id(3), "a.x", "g");
  router.subscribe(id(4), ">", "g");
  std::map<uint64_t, int> served;
  for (int i = 0; i < 400; ++i) {
    Ids one = routed(router, "a.x");
    REQUIRE(one.size() == 1);
    ++served[one.front()];
  }
  CHECK(served == std::map<uint64_t, int>{{1, 100}, {2, 100}, {3, 100}, {4, 100}});
}

TEST_CASE("a group passes over some members and serves another, in turns, or nobody") {
  Router router;
  for (uint64_t i = 1; i <= 4; ++i) router.subscribe(id(i), "jobs", "workers");
  router.subscribe(id(5), "jobs", "");
  auto without = [&](Ids passed_over) {
    Ids ids;
    for (SubscriptionId one : router.route("jobs", [&](SubscriptionId member) {
           return std::find(passed_over.begin(), passed_over.end(), member.value) !=
                  passed_over.end();
         }))
      ids.push_back(one.value);
    return ids;
  };
  CHECK(without({1, 3}) == Ids{5, 2});
  CHECK(without({1, 3}) == Ids{5, 4});
  CHECK(without({1, 3}) == Ids{5, 2});
  CHECK(without({1, 2, 3, 4}) == Ids{5});
  // Who was passed over has lost no turn.
  CHECK(routed(router, "jobs") == Ids{5, 1});
  CHECK(routed(router, "jobs") == Ids{5, 3});
  CHECK(routed(router, "jobs") == Ids{5, 4});
}

TEST_CASE("a group on several patterns serves whoever is left over all of them") {
  Router router;
  router.subscribe(id(1), "a.*", "g");
  router.subscribe(id(2), "a.x", "g");
  router.subscribe(id(3), ">", "g");
  for (uint64_t left : {1, 2, 3}) {
    auto others = [&](SubscriptionId member) { return member.value != left; };
    for (int i = 0; i < 3; ++i) {
      auto ids = router.route("a.x", others);
      REQUIRE(ids.size() == 1);
      CHECK(ids.front().value == left);
    }
  }
}

TEST_CASE("turns stay fair when the messages of two subjects alternate") {
  Router router;
  router.subscribe(id(1), "a", "g");
  router.subscribe(id(2), "a", "g");
  router.subscribe(id(3), "b", "g");
  router.subscribe(id(4), "b", "g");
  std::map<uint64_t, int> served;
  for (int i = 0; i < 10; ++i) {
    ++served[routed(router, "a").front()];
    ++served[routed(router, "b").front()];
  }
  CHECK(served == std::map<uint64_t, int>{{1, 5}, {2, 5}, {3, 5}, {4, 5}});
}

TEST_CASE("whoever joins a group waits for a turn, and one who leaves takes none with him") {
  Router router;
  router.subscribe(id(1), "j", "g");
  router.subscribe(id(2), "j", "g");
  CHECK(routed(router, "j") == Ids{1});
  router.subscribe(id(3), "j", "g");
  CHECK(routed(router, "j") == Ids{2});
  CHECK(router.unsubscribe(id(1), "j", "g"));
  CHECK(routed(router, "j") == Ids{3});
  CHECK(routed(router, "j") == Ids{2});
}

TEST_CASE("unsubscribing takes the pattern and group it was made with") {
  Router router;
  router.subscribe(id(1), "a.*", "g");
  router.subscribe(id(2), "a.*", "");
  router.subscribe(id(4), "b.*", "g");
  CHECK_FALSE(router.unsubscribe(id(1), "a.*", ""));
  CHECK_FALSE(router.unsubscribe(id(1), "a.*", "h"));
  CHECK_FALSE(router.unsubscribe(id(1), "b.*", "g"));
  CHECK_FALSE(router.unsubscribe(id(1), "a.b", "g"));
  CHECK_FALSE(router.unsubscribe(id(2), "a.*", "g"));
  CHECK_FALSE(router.unsubscribe(id(3), "a.*", ""));
  CHECK(router.size() == 3);
  CHECK(router.unsubscribe(id(1), "a.*", "g"));
  CHECK_FALSE(router.unsubscribe(id(1), "a.*", "g"));
  CHECK(routed(router, "a.b") == Ids{2});
  CHECK(router.unsubscribe(id(2), "a.*", ""));
  CHECK(router.unsubscribe(id(4), "b.*", "g"));
  CHECK(router.size() == 0);
  CHECK(routed(router, "a.b").empty());
}

TEST_CASE("ten thousand subscribers of one subject come and go") {
  Router router;
  for (uint64_t i = 1; i <= 10'000; ++i) router.subscribe(id(i), "news", "");
  CHECK(router.route("news").size() == 10'000);
  for (uint64_t i = 1; i <= 10'000; i += 2) REQUIRE(router.unsubscribe(id(i), "news", ""));
  for (uint64_t i = 1; i <= 10'000; i += 2) REQUIRE_FALSE(router.unsubscribe(id(i), "news", ""));
  Ids left = sorted(routed(router, "news"));
  REQUIRE(left.size() == 5'000);
  for (uint64_t i = 0; i < 5'000; ++i) REQUIRE(left[i] == 2 * (i + 1));
  for (uint64_t i = 2; i <= 10'000; i += 2) REQUIRE(router.unsubscribe(id(i), "news", ""));
  CHECK(router.route("news").empty());
}

TEST_CASE("a hundred thousand subjects are each found") {
  Router router;
  for (uint64_t i = 1; i <= 100'000; ++i)
    router.subscribe(id(i), fmt::format("sensor.{}.temperature", i), "");
  for (uint64_t i = 1; i <= 100'000; i += 77)
    REQUIRE(routed(router, fmt::format("sensor.{}.temperature", i)) == Ids{i});
  for (uint64_t i = 1; i <= 100'000; ++i)
    REQUIRE(router.unsubscribe(id(i), fmt::format("sensor.{}.temperature", i), ""));
  CHECK(router.size() == 0);
}

TEST_CASE("a subject of 4,000 tokens meets thousands of patterns like its beginning") {
  Router router;
  std::string subject = "a";
  for (int i = 1; i < 4'000; ++i) subject += ".a";
  // *.*.*.> for each depth; then every mixture of a and * ten deep.
  std::string stars;
  for (uint64_t i = 1; i <= 2'000; ++i) {
    stars += "*.";
    router.subscribe(id(i), stars + ">", "");
  }
  for (uint64_t mixture = 0; mixture < 1'024; ++mixture) {
    std::string pattern;
    for (int bit = 0; bit < 10; ++bit) pattern += mixture >> bit & 1 ? "a." : "*.";
    router.subscribe(id(10'000 + mixture), pattern + (mixture == 0 ? "b" : ">"), "");
  }
  CHECK(router.route(subject).size() == 2'000 + 1'023);
  CHECK(router.route("b").empty());
}

TEST_CASE("patterns deeper than the trie are still told apart") {
  Router router;
  std::string prefix;
  for (int i = 0; i < 20; ++i) prefix += "*.";
  router.subscribe(id(1), prefix + "a", "");
  router.subscribe(id(2), prefix + "b", "");
  router.subscribe(id(3), prefix + ">", "g");
  std::string subject;
  for (int i = 0; i < 20; ++i) subject += "x.";
  CHECK(routed(router, subject + "a") == Ids{1, 3});
  CHECK(routed(router, subject + "b") == Ids{2, 3});
  CHECK(routed(router, subject + "b.c") == Ids{3});
  CHECK(router.unsubscribe(id(1), prefix + "a", ""));
  CHECK(router.unsubscribe(id(3), prefix + ">", "g"));
  CHECK(routed(router, subject + "a").empty());
  CHECK(routed(router, subject + "b") == Ids{2});
}
