#include "tram/protocols/http/target.h"

#include <doctest/doctest.h>

#include "tram/protocols/http/chunked_body.h"

using namespace std::chrono_literals;
using namespace tram::protocols::http;

TEST_CASE("a segment is what its percent signs stand for; a plus stands for itself") {
  CHECK(decode_segment("a%2Fb%2e+c") == "a/b.+c");
  CHECK(decode_parameter("a+b%2B") == "a b+");
  CHECK(decode_segment("%00") == std::string(1, '\0'));
  for (std::string_view bad : {"%", "%1", "a%", "%zz", "%1g", "%%41"})
    CHECK_MESSAGE(!decode_segment(bad), bad);
}

TEST_CASE("a query's parameters are read by name, and strangers are refused by name") {
  uint64_t n = 1;
  Duration wait;
  std::string group;
  std::vector<std::string> subjects;
  Query query("n=7&wait_ms=1500&group=a+b&subject=x&&subject=%3E");
  query.number("n", 1, 10, n);
  query.milliseconds("wait_ms", 0, 2000, wait);
  CHECK(query.text("group", group));
  query.texts("subject", subjects);
  CHECK(query.finish());
  CHECK(n == 7);
  CHECK(wait == 1500ms);
  CHECK(group == "a b");
  CHECK(subjects == std::vector<std::string>{"x", ">"});

  auto refusal = [](std::string_view text) {
    uint64_t number = 0;
    bool flag = false;
    Query bad(text);
    bad.number("n", 1, 10, number);
    bad.boolean("flag", flag);
    auto done = bad.finish();
    return done ? "ok" : done.error().detail;
  };
  CHECK(refusal("") == "ok");
  CHECK(refusal("flag=true") == "ok");
  for (std::string_view bad :
       {"n=0", "n=11", "n=", "n=x", "n=1x", "n=-1", "n=99999999999999999999"})
    CHECK(refusal(bad) == "\"n\" must be a whole number from 1 to 10");
  CHECK(refusal("flag=1") == "\"flag\" must be true or false");
  CHECK(refusal("m=1") == "unknown parameter \"m\": this takes n, flag");
  CHECK(refusal("n=%") == "a percent sign must be followed by two hexadecimal digits");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "n=1&";
  CHECK(refusal(many) == "too many parameters");
  CHECK(Query("x").finish().error().detail == "unknown parameter \"x\": this takes none");
}

namespace {

std::string unchunked(std::string_view text, size_t step) {
  ChunkedBody body(100);
  std::string whole;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, step);
    ChunkedBody::Progress progress = body.read(piece, whole);
    text.remove_prefix(progress.consumed);
    if (progress.state == ChunkedBody::State::finished) return whole + "|" + std::string(text);
    if (progress.state == ChunkedBody::State::malformed) return "malformed";
    if (progress.state == ChunkedBody::State::too_large) return "too large";
    CHECK(progress.consumed == piece.size());
  }
  return "unfinished";
}

}  // namespace

TEST_CASE("a body in chunks is the same however it is cut") {
  for (size_t step = 1; step < 70; ++step) {
    CHECK(unchunked("5\r\nhello\r\n6;a=b\r\n world\r\n00\r\nT: 1\r\n\r\nrest", step) ==
          "hello world|rest");
    CHECK(unchunked("0\r\n\r\n", step) == "|");
    CHECK(unchunked("A\r\n0123456789\r\n0\r\n", step) == "unfinished");
    CHECK(unchunked("65\r\n", step) == "too large");
    CHECK(unchunked("60\r\n" + std::string(0x60, 'x') + "\r\n5\r\n", step) == "too large");
    CHECK(unchunked("ffffffffffffffff\r\n", step) == "too large");
    for (std::string_view bad :
         {"x\r\n", "\r\n", "-1\r\n", "0x1\r\n", "1 \r\n", " 1\r\n", "1\n", "1\r\nab\r\n",
          "1\r\na\n", "1\r\na\r\r\n", "fffffffffffffffff\r\n", "00000000000000001\r\n", "1\r;\r\n"})
      CHECK_MESSAGE(unchunked(bad, step) == "malformed", bad);
    CHECK(unchunked("1;" + std::string(300, 'x') + "\r\n", step) == "malformed");
  }
  std::string trailers = "0\r\n";
  for (int i = 0; i < 100; ++i) trailers += std::string(100, 'x') + "\r\n";
  CHECK(unchunked(trailers + "\r\n", 64) == "malformed");
}
