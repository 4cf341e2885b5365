// What the original answers was seen with tests/conformance/http/gophermq_transcript.py, which
// tells these and more to it.
#include "tram/protocols/http/gopher_json.h"

#include <doctest/doctest.h>

using namespace tram::protocols::http;

namespace {

std::string bound(std::string_view body) {
  GopherText subject;
  GopherText data;
  if (!read_gopher_json(body, {.subject = &subject, .data = &data})) return "refused";
  return std::string(subject.view()) + "|" + std::string(data.view());
}

std::string written(std::string_view text) {
  std::string to;
  append_gopher_string(to, text);
  return to;
}

}  // namespace

TEST_CASE("members bind as Go binds them") {
  CHECK(bound(R"({"subject":"a","data":"b"})") == "a|b");
  CHECK(bound(" {\t\"data\" :\r\n\"b\" } trailing") == "|b");
  CHECK(bound("{}") == "|");
  CHECK(bound("null") == "|");
  CHECK(bound(R"({"SUBJECT":"a","DaTa":"b"})") == "a|b");
  CHECK(bound("{\"\xC5\xBFubject\":\"a\"}") == "a|");
  CHECK(bound("{\"\\u0073ubject\":\"a\"}") == "a|");
  CHECK(bound("{\"subject\xC5\xBF\":\"a\"}") == "|");
  CHECK(bound(R"({"subject":"a","subject":"b","subject":null})") == "b|");
  CHECK(bound(R"({"id":1,"x":[{"y":[]},{},-0.5e+3,true,false,null,"\n"],"subject":"a"})") == "a|");
}

TEST_CASE("what Go refuses is refused") {
  for (std::string_view bad : {"",
                               " ",
                               "[]",
                               "\"a\"",
                               "1",
                               "true",
                               "{",
                               "{\"subject\"",
                               "{\"subject\":",
                               "{\"subject\":1}",
                               "{\"subject\":\"a\"",
                               "{\"subject\":\"a\",}",
                               "{,}",
                               "{\"subject\":\"a\" \"data\":\"b\"}",
                               "{\"subject\":[]}",
                               "{\"subject\":\"\\x\"}",
                               "{\"subject\":\"\\u12\"}",
                               "{subject:\"a\"}",
                               "{\"subject\":\"a\x01\"}",
                               "{\"x\":01}",
                               "{\"x\":1.}",
                               "{\"x\":.5}",
                               "{\"x\":1e}",
                               "{\"x\":-}",
                               "{\"x\":tru}",
                               "{\"x\":[1,]}",
                               "{\"x\":[1 2]}",
                               "{\"x\":{\"y\"}}",
                               "{\"x\":{1:2}}",
                               "{\"x\":[}",
                               "{\"x\":\"\\ud83\"}",
                               "{'subject':'a'}",
                               "nul",
                               "{\"x\":+1}",
                               "\xEF\xBB\xBF{}"})
    CHECK_MESSAGE(bound(bad) == "refused", bad);
}

TEST_CASE("text that is not UTF-8 becomes so, a byte at a time, as in Go") {
  CHECK(bound("{\"subject\":\"a\xFF\xFE\"}") == "a\xEF\xBF\xBD\xEF\xBF\xBD|");
  CHECK(bound(R"({"subject":"\ud83d\ude00\ud800x\udc00\u00e9"})") ==
        "\xF0\x9F\x98\x80\xEF\xBF\xBDx\xEF\xBF\xBD\xC3\xA9|");
  CHECK(bound(R"({"subject":"\ud800\ud83d\ude00"})") == "\xEF\xBF\xBD\xF0\x9F\x98\x80|");
  CHECK(bound(R"({"subject":"\"\\\/\b\f\n\r\t"})") == "\"\\/\b\f\n\r\t|");
}

TEST_CASE("nesting is as deep as Go's, and costs no stack") {
  auto nested = [](size_t depth) {
    return "{\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(bound(nested(9'999)) == "|");
  CHECK(bound(nested(10'000)) == "refused");
  CHECK(bound("{\"x\":" + std::string(1'000'000, '[')) == "refused");
}

TEST_CASE("a plain text is a view, and not copied") {
  std::string body = R"({"subject":"plain é","data":"esc\n"})";
  GopherText subject;
  GopherText data;
  REQUIRE(read_gopher_json(body, {.subject = &subject, .data = &data}));
  CHECK(subject.plain());
  CHECK(subject.view().data() == body.data() + 12);
  CHECK_FALSE(data.plain());
}

TEST_CASE("strings are written as Go writes them") {
  CHECK(written("a<b>&\"\\/") == R"("a\u003cb\u003e\u0026\"\\/")");
  CHECK(written("\b\f\n\r\t\x01\x1f\x7f") == "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  CHECK(written("\u2028\u2029\u2030é😀") == "\"\\u2028\\u2029\u2030é😀\"");
  CHECK(written("a\xFF\xE2\x80") == "\"a\\ufffd\\ufffd\\ufffd\"");
  CHECK(gopher_message_json("request's body is invalid") ==
        "{\"message\":\"request's body is invalid\"}\n");
}
