#include "tram/cli/bench/payload.h"

#include <doctest/doctest.h>

using namespace tram::cli::bench;
using tram::base::Bytes;

namespace {

Bytes message(uint32_t publisher, uint64_t sequence, uint32_t round = 1, size_t size = 16) {
  Bytes payload(size, 'x');
  write_stamp(payload, {publisher, round, sequence});
  return payload;
}

std::string verdict(const OrderJudge& judge, uint64_t expected) {
  std::vector<std::string> problems;
  judge.report("s", expected, problems);
  std::string text;
  for (const std::string& problem : problems) text += problem + "; ";
  return text;
}

}  // namespace

TEST_CASE("a judge is content with every message of every publisher, in order, once") {
  OrderJudge judge(2, 1, 16);
  for (uint64_t i = 0; i < 3; ++i) {
    judge.see(message(0, i));
    judge.see(message(1, i));
  }
  CHECK(verdict(judge, 6) == "");
}

TEST_CASE("a judge sees what is missing, repeated, late, foreign or of another size") {
  OrderJudge lost(1, 1, 16);
  lost.see(message(0, 0));
  lost.see(message(0, 2));
  CHECK(verdict(lost, 3) ==
        "s: 1 messages never came; s: 1 messages were missing from their place; ");
  OrderJudge twice(1, 1, 16);
  for (uint64_t i : {0, 1, 1}) twice.see(message(0, i));
  CHECK(verdict(twice, 2) ==
        "s: 1 messages too many came; s: 1 messages came twice or out of order; ");
  OrderJudge foreign(1, 1, 16);
  foreign.see(message(0, 0, 2));
  foreign.see(message(7, 0));
  foreign.see("short");
  CHECK(verdict(foreign, 3) == "s: 1 messages had another size; s: 2 messages were not ours; ");
}

TEST_CASE("messages too small for a stamp are counted, by size") {
  OrderJudge judge(1, 1, 4);
  judge.see("abcd");
  CHECK(verdict(judge, 1) == "");
  CHECK(verdict(judge, 2) == "s: 1 messages never came; ");
}

TEST_CASE("shared messages may come in any order, but once") {
  OnceJudge judge(1, 3, 1, 16);
  for (uint64_t i : {2, 0, 0}) judge.see(message(0, i));
  std::vector<std::string> problems;
  judge.report(3, problems);
  CHECK(problems == std::vector<std::string>{"1 messages never came", "1 messages came twice"});
}
