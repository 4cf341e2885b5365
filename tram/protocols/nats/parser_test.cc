#include "tram/protocols/nats/parser.h"

#include <doctest/doctest.h>
#include <string>

using namespace tram::protocols::nats;

namespace {

LineStatus status_of(BytesView bytes, size_t limit = 64) {
  Line line;
  return parse_line(bytes, limit, line);
}

}  // namespace

TEST_CASE("a line is its verb, in any case, and what follows, trimmed") {
  Line line;
  REQUIRE(parse_line("pUb  a.b \t 5 \r\nhello\r\n", 64, line) == LineStatus::whole);
  CHECK(line.verb == Verb::pub);
  CHECK(line.size == 15);
  CHECK(line.arguments == "a.b \t 5");
  REQUIRE(parse_line("PING\n", 64, line) == LineStatus::whole);
  CHECK(line.verb == Verb::ping);
  CHECK(line.arguments.empty());
}

TEST_CASE("a verb that takes arguments needs a blank; the others ignore what follows") {
  CHECK(status_of("PUB\r\n") == LineStatus::unknown);
  CHECK(status_of("UNSUB\r\n") == LineStatus::unknown);
  CHECK(status_of("SUBSCRIBE a 1\r\n") == LineStatus::unknown);
  CHECK(status_of("PING again\r\n") == LineStatus::whole);
  CHECK(status_of("\r\n") == LineStatus::unknown);
}

TEST_CASE("another protocol is recognised by its first wrong byte") {
  CHECK(status_of("G") == LineStatus::unknown);
  CHECK(status_of("P") == LineStatus::incomplete);
  CHECK(status_of("PO") == LineStatus::incomplete);
  CHECK(status_of("POST / HTTP/1.1") == LineStatus::unknown);
  CHECK(status_of("PUBx") == LineStatus::unknown);
  CHECK(status_of(std::string("\0\x16", 2)) == LineStatus::unknown);
}

TEST_CASE("a line longer than the limit is refused, with or without an end in sight") {
  CHECK(status_of("SUB " + std::string(61, 'x')) == LineStatus::too_long);
  CHECK(status_of("SUB " + std::string(61, 'x') + "\r\n") == LineStatus::too_long);
  CHECK(status_of("SUB " + std::string(60, 'x')) == LineStatus::incomplete);
}

TEST_CASE("words are parted by blanks, and a sixth is noticed") {
  Words words = split_words("a  b\tc");
  REQUIRE(words.count == 3);
  CHECK(words.word[0] == "a");
  CHECK(words.word[2] == "c");
  CHECK(split_words("").count == 0);
  CHECK(split_words("1 2 3 4 5").count == 5);
  CHECK(split_words("1 2 3 4 5 6").count == 6);
}

TEST_CASE("what PUB and HPUB say is the same however it is written") {
  PubArguments pub;
  REQUIRE(parse_pub("orders.eu 128", false, pub));
  CHECK(pub.subject == "orders.eu");
  CHECK(pub.subject_is_valid);
  CHECK(pub.reply_to.empty());
  CHECK(pub.total_size == 128);
  pub = {};
  REQUIRE(parse_pub("orders.eu \t 000128", false, pub));
  CHECK(pub.subject == "orders.eu");
  CHECK(pub.total_size == 128);
  pub = {};
  REQUIRE(parse_pub("a..b 999999999", false, pub));
  CHECK_FALSE(pub.subject_is_valid);
  CHECK(pub.total_size == 999999999);
  pub = {};
  REQUIRE(parse_pub("a b 3", false, pub));
  CHECK(pub.subject == "a");
  CHECK(pub.reply_to == "b");
  pub = {};
  REQUIRE(parse_pub("a b 12 345", true, pub));
  CHECK(pub.reply_to == "b");
  CHECK(pub.headers_size == 12);
  CHECK(pub.total_size == 345);
  for (BytesView bad :
       {"", "5", " 5", "a", "a b", "a 1x", "a -1", "a 9999999999", "a 1 2 3", "a\t"})
    CHECK_FALSE(parse_pub(bad, false, pub));
  for (BytesView bad : {"a 5", "a 6 5", "a b 6 5", "a b c 1 2"})
    CHECK_FALSE(parse_pub(bad, true, pub));
}

TEST_CASE("a size is plain digits, and not so many that it could wrap") {
  CHECK(parse_size("0") == 0);
  CHECK(parse_size("1048576") == 1048576);
  CHECK(parse_size("999999999") == 999999999);
  for (BytesView bad : {"", "-1", "+1", "1x", "1e3", "9999999999", "0x10"})
    CHECK_FALSE(parse_size(bad).has_value());
}
