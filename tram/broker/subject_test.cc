#include "tram/broker/subject.h"

#include <doctest/doctest.h>
#include <string>

#include "tram/base/random.h"

using namespace tram::broker;
using namespace std::string_literals;

TEST_CASE("a subject is tokens joined by dots, without wildcards") {
  for (auto good : {"a", "orders.eu.paid", "a*b", "a.b>", ">x", "**", "a.>>.b", "größe.ü",
                    "a/b\x7f", "$TRAM.PUT.jobs", "_INBOX.x.y"}) {
    CAPTURE(good);
    CHECK(valid_subject(good));
    CHECK(valid_pattern(good));
    CHECK_FALSE(has_wildcard(good));
  }
}

TEST_CASE("a subject with an empty token or a forbidden byte is neither subject nor pattern") {
  for (const auto& bad :
       {""s, "."s, "a."s, ".a"s, "a..b"s, "a b"s, "a\tb"s, "a\r"s, "\n"s, "a\0b"s, "*."s, "..>"s}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_subject(bad));
    CHECK_FALSE(valid_pattern(bad));
    CHECK_FALSE(valid_tokens(bad));
  }
}

TEST_CASE("a subject is valid if its tokens are and none is a wildcard, wherever in it they are") {
  tram::base::Random random(1);
  const std::string bytes = "abcdefg/....*>! \t\n\xc3\xb6"s + '\0';
  size_t valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random.below(40), 'x');
    for (uint64_t changes = random.below(6); changes > 0 && !text.empty(); --changes)
      text[random.below(text.size())] = bytes[random.below(bytes.size())];
    const bool expected = valid_tokens(text) && !has_wildcard(text);
    valid += expected;
    CAPTURE(text);
    REQUIRE(valid_subject(text) == expected);
  }
  CHECK(valid > 10'000);
}

TEST_CASE("wildcards are for patterns only, and > only at the end") {
  for (auto pattern : {"*", ">", "a.*", "*.a", "a.>", "*.*.>", "a.*.b"}) {
    CAPTURE(pattern);
    CHECK(valid_pattern(pattern));
    CHECK(has_wildcard(pattern));
    CHECK_FALSE(valid_subject(pattern));
    CHECK(valid_tokens(pattern));
  }
  for (auto pattern : {">.a", "a.>.b", ">.>", "*.>.*"}) {
    CAPTURE(pattern);
    CHECK_FALSE(valid_pattern(pattern));
    CHECK(valid_tokens(pattern));
  }
}

TEST_CASE("a pattern matches what its tokens allow") {
  struct Row {
    const char* pattern;
    const char* subject;
    bool expected;
  };
  for (const Row& row :
       {Row{"a.b", "a.b", true},    {"a.b", "a.c", false},     {"a.b", "a", false},
        {"a", "a.b", false},        {"a", "A", false},         {"*", "a", true},
        {"*", "a.b", false},        {"*.b", "a.b", true},      {"a.*", "a", false},
        {"a.*.c", "a.b.c", true},   {"a.*.c", "a.b.d", false}, {">", "a", true},
        {">", "a.b.c", true},       {"a.>", "a", false},       {"a.>", "a.b", true},
        {"a.>", "a.b.c.d", true},   {"a.>", "b.b", false},     {"*.*.>", "a.b", false},
        {"*.*.>", "a.b.c.d", true}, {"a*b", "a*b", true},      {"a*b", "axb", false},
        {"ab", "abc", false}}) {
    CAPTURE(row.pattern);
    CAPTURE(row.subject);
    CHECK(matches(row.pattern, row.subject) == row.expected);
  }
}

TEST_CASE("a queue name is 1 to 200 bytes without spaces, control characters or wildcard tokens") {
  for (const auto& good :
       {"a"s, "jobs.eu"s, "a*"s, "größe"s, "a/b:c"s, std::string(200, 'x'), "a..b"s}) {
    CAPTURE(good);
    CHECK(valid_queue_name(good));
  }
  for (const auto& bad : {""s, std::string(201, 'x'), "a b"s, "a\n"s, "a\x7f"s, "a\0"s, "\x1f"s,
                          "*"s, ">"s, "jobs.*"s, "a.>.b"s, "a..>"s}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_queue_name(bad));
  }
}
