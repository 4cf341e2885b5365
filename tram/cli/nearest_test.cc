#include "tram/cli/nearest.h"

#include <doctest/doctest.h>

using tram::cli::nearest;

TEST_CASE("the word that was meant is found, and nothing is guessed from far away") {
  std::vector<std::string> verbs{"put", "get", "publish", "queues", "request", "reply"};
  CHECK(nearest("pu", verbs) == "put");
  CHECK(nearest("ptu", verbs) == "put");
  CHECK(nearest("queus", verbs) == "queues");
  CHECK(nearest("Request", verbs) == "request");
  CHECK(nearest("publ", verbs) == "publish");
  CHECK(nearest("xyz", verbs) == "");
  CHECK(nearest("", verbs) == "");
  CHECK(nearest(std::string(100'000, 'p'), verbs) == "");
}
