#include "tram/client/headers.h"

#include <doctest/doctest.h>
#include <string>

using tram::base::Bytes;
using tram::base::BytesView;
using tram::client::Headers;
using tram::client::HeadersView;

TEST_CASE("headers are found by name, whatever its case, first come first") {
  HeadersView headers("NATS/1.0\r\nTrace:  7f3a \r\nA: 1\r\nA: 2\r\nEmpty:\r\n\r\n");
  CHECK(headers.find("trace") == "7f3a");
  CHECK(headers.find("A") == "1");
  CHECK(headers.find("Empty") == "");
  CHECK(!headers.find("None"));
  CHECK(headers.status() == 0);
}

TEST_CASE("a status stands in the first line, with or without words") {
  CHECK(HeadersView("NATS/1.0 503\r\n\r\n").status() == 503);
  CHECK(HeadersView("NATS/1.0 503\r\n\r\n").description() == "");
  CHECK(HeadersView("NATS/1.0 404 No Messages\r\n\r\n").status() == 404);
  CHECK(HeadersView("NATS/1.0 404 No Messages\r\n\r\n").description() == "No Messages");
  CHECK(HeadersView("NATS/1.0 4x4 No\r\n\r\n").status() == 0);
  CHECK(HeadersView("HTTP/1.0 404 No\r\n\r\n").status() == 0);
  CHECK(HeadersView("").status() == 0);
}

TEST_CASE("a reader passes over what is not a header") {
  std::string seen;
  HeadersView("NATS/1.0\r\nno colon\r\n: no name\r\nA: b:c\r\nlast")
      .for_each([&](BytesView name, BytesView value) {
        seen.append(name).append("=").append(value).append(";");
      });
  CHECK(seen == "A=b:c;");
}

TEST_CASE("what is built can be read back, and cannot smuggle lines in") {
  Headers headers;
  CHECK(headers.block().empty());
  CHECK(headers.add("Trace", "7"));
  CHECK(headers.add_line("Name: value: with colon"));
  CHECK(headers.block() == "NATS/1.0\r\nTrace: 7\r\nName: value: with colon\r\n\r\n");
  CHECK(!headers.add("", "x"));
  CHECK(!headers.add("a b", "x"));
  CHECK(!headers.add("a:b", "x"));
  CHECK(!headers.add("a", "x\r\nEvil: 1"));
  CHECK(!headers.add_line("no colon"));
}
