#include "tram/cli/json_text.h"

#include <doctest/doctest.h>

using namespace tram::cli;
using tram::base::Bytes;
using tram::base::BytesView;

TEST_CASE("strings are escaped, and bytes that are not text go as base64") {
  CHECK(json_string("a\"b\\c\n\t\x01") == R"("a\"b\\c\n\t\u0001")");
  CHECK(json_bytes("payload", "grüße") == R"("payload":"grüße")");
  CHECK(json_bytes("payload", "\xff\xfe") == R"("payload_base64":"//4=")");
  CHECK(json_bytes("payload", BytesView("a\0b", 3)) == R"("payload":"a\u0000b")");
}

TEST_CASE("base64 ends as it should") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
}

TEST_CASE("only real UTF-8 is text") {
  for (const char* good : {"", "a", "é", "€", "😀"}) CHECK(is_utf8(good));
  for (const char* bad : {"\x80", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                          "\xf4\x90\x80\x80", "a\xc3"}) {
    CHECK(!is_utf8(bad));
  }
}

TEST_CASE("headers of one name become one list") {
  tram::client::HeadersView headers("NATS/1.0\r\nA: 1\r\nB: x\r\nA: 2\r\n\r\n");
  CHECK(json_headers(headers) == R"({"A":["1","2"],"B":["x"]})");
  CHECK(json_headers(tram::client::HeadersView("")) == "{}");
}
