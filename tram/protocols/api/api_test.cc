#include <doctest/doctest.h>
#include <string>

#include "tram/protocols/api/header_block.h"
#include "tram/protocols/api/json_request.h"
#include "tram/protocols/api/json_text.h"
#include "tram/protocols/api/replies.h"
#include "tram/protocols/api/take_options.h"

using namespace std::chrono_literals;
using namespace tram::protocols::api;
using tram::base::Errc;
using tram::base::Error;

namespace {

std::string quoted(std::string_view text) {
  std::string to;
  append_json_string(to, text);
  return to;
}

std::string base64(std::string_view bytes) {
  std::string to;
  append_base64(to, bytes);
  return to;
}

std::string refusal_of_take(std::string_view json) {
  auto options = parse_take_options(json);
  return options ? "accepted" : options.error().detail;
}

}  // namespace

TEST_CASE("whatever bytes a string holds, what is written is valid JSON in UTF-8") {
  CHECK(quoted("plain é 😀") == "\"plain é 😀\"");
  CHECK(quoted("a\"b\\c\n\r\t") == R"("a\"b\\c\n\r\t")");
  CHECK(quoted(std::string_view("\0\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(quoted("a\xFF"
               "b\xC0\xAF") ==
        "\"a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(quoted("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(quoted("\xF0\x9F\x98") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      std::string bytes{static_cast<char>(a), static_cast<char>(b)};
      CHECK_MESSAGE(is_utf8(quoted(bytes)), a, " ", b);
    }
}

TEST_CASE("base64 gives back the bytes that went in, and has one text for each") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
    CHECK(decode_base64(base64(all)) == all);
  }
  for (std::string_view bad :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm9\n", "Zm-_", "=Zg="})
    CHECK_MESSAGE(decode_base64(bad) == std::nullopt, bad);
}

TEST_CASE("an error is its code, and its sentence with what in particular was wrong") {
  CHECK(error_json(Error{Errc::invalid_subject, "a \"b\""}) ==
        "{\"error\":{\"code\":\"invalid_subject\",\"message\":\"a subject is words joined by dots: "
        "no spaces, no empty words (a \\\"b\\\")\"}}");
}

TEST_CASE("replies read as the documents show them") {
  tram::broker::Stored stored;
  stored.id.value = 257;
  CHECK(stored_json("jobs", stored) ==
        R"({"id":257,"queue":"jobs","durability":"memory","duplicate":false})");
  CHECK(done_json({3}) == R"({"ok":true,"count":3})");
  tram::broker::QueueInfo info;
  info.name = "jobs";
  info.ready = 1;
  info.bytes = 5;
  info.puts = 2;
  info.oldest_ready_age = 1500ms;
  std::string one = R"({"name":"jobs","ready":1,"leased":0,"bytes":5,"waiting_takers":0,"puts":2,)"
                    R"("deliveries":0,"redeliveries":0,"acks":0,"oldest_ready_age_ms":1500})";
  CHECK(queue_json(info) == one);
  CHECK(queues_json({{}}) == R"({"queues":[]})");
  CHECK(queues_json({{info, info}}) == R"({"queues":[)" + one + "," + one + "]}");
}

TEST_CASE("a take's options have defaults, and an empty body means all of them") {
  for (std::string_view json : {"", "  \r\n", "{}"}) {
    auto options = parse_take_options(json);
    REQUIRE(options);
    CHECK(options->count == 1);
    CHECK(options->wait == 0s);
    CHECK(options->linger == 0s);
    CHECK(options->lease == 30s);
  }
  auto options = parse_take_options(R"({"n":7,"wait_ms":1500,"linger_ms":20,"lease_ms":60000})");
  REQUIRE(options);
  CHECK(options->count == 7);
  CHECK(options->wait == 1500ms);
  CHECK(options->linger == 20ms);
  CHECK(options->lease == 60s);
}

TEST_CASE("a take's mistakes are refused by name, with what would be right") {
  CHECK(refusal_of_take(R"({"n":0})") == "\"n\" must be a whole number from 1 to 10000");
  CHECK(refusal_of_take(R"({"n":-1})") == "\"n\" must be a whole number from 1 to 10000");
  CHECK(refusal_of_take(R"({"n":1.5})") == "\"n\" must be a whole number from 1 to 10000");
  CHECK(refusal_of_take(R"({"n":"1"})") == "\"n\" must be a whole number from 1 to 10000");
  CHECK(refusal_of_take(R"({"wait_ms":1e30})") ==
        "\"wait_ms\" must be a whole number from 0 to 3600000");
  CHECK(refusal_of_take(R"({"lease_ms":0})") ==
        "\"lease_ms\" must be a whole number from 1 to 86400000");
  CHECK(refusal_of_take(R"({"count":1})") ==
        "unknown member \"count\": this takes n, wait_ms, linger_ms, lease_ms");
  for (std::string_view bad : {"[]", "1", "{", "{\"n\":1}}", "{\"n\":1,}", "\"\xFF\"", "nul"}) {
    auto options = parse_take_options(bad);
    REQUIRE_FALSE(options);
    CHECK(options.error().code == Errc::invalid_json);
  }
}

TEST_CASE("deep nesting is refused, not followed") {
  std::string deep = R"({"n":)" + std::string(100'000, '[');
  auto options = parse_take_options(deep);
  REQUIRE_FALSE(options);
  CHECK(options.error().code == Errc::invalid_json);
}

TEST_CASE("a request's members are read by kind, objects inside it too") {
  JsonRequest request = JsonRequest::parse(
      R"({"publish":{"subject":"a.b","headers":{"One":"1","Two":["x","y"]}},"id":"18446744073709551615"})");
  std::optional<std::string_view> subject;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  uint64_t id = 0;
  request.object("publish", [&](JsonRequest& inner) {
    inner.text("subject", subject);
    inner.texts("headers", headers);
  });
  request.id("id", id);
  CHECK(request.finish());
  CHECK(subject == "a.b");
  REQUIRE(headers.size() == 3);
  CHECK(headers[2].second == "y");
  CHECK(id == UINT64_MAX);

  JsonRequest wrong = JsonRequest::parse(R"({"publish":{"sbject":"a"}})");
  wrong.object("publish", [&](JsonRequest& inner) { inner.text("subject", subject); });
  auto done = wrong.finish();
  REQUIRE_FALSE(done);
  CHECK(done.error().detail == "in \"publish\": unknown member \"sbject\": this takes subject");
}

TEST_CASE("headers are written as a block and read back; what would break the block is refused") {
  std::string block;
  CHECK(append_header(block, "One", " 1 "));
  CHECK(append_header(block, "two", "x:y"));
  CHECK(append_header(block, "One", ""));
  CHECK(block == "NATS/1.0\r\nOne: 1\r\ntwo: x:y\r\nOne: \r\n\r\n");
  std::string json;
  append_headers_json(json, block);
  CHECK(json == R"({"One":["1",""],"two":"x:y"})");
  std::string before = block;
  CHECK_FALSE(append_header(block, "a b", "1"));
  CHECK_FALSE(append_header(block, "", "1"));
  CHECK_FALSE(append_header(block, "a:b", "1"));
  CHECK_FALSE(append_header(block, "a", "1\r\nEvil: 2"));
  CHECK_FALSE(append_header(block, "a", std::string_view("\0", 1)));
  CHECK(block == before);
  json.clear();
  append_headers_json(json, "NATS/1.0\r\nno colon\r\n: x\r\nA:1");
  CHECK(json == R"({"A":"1"})");
  json.clear();
  append_headers_json(json, "");
  CHECK(json == "{}");
}
