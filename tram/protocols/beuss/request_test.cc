#include "tram/protocols/beuss/request.h"

#include <doctest/doctest.h>
#include <string>

#include "tram/protocols/beuss/gatherer.h"

using namespace tram::protocols::beuss;
using Kind = Request::Kind;

namespace {

std::string padded(std::string name) {
  name.resize(name_size, ' ');
  return name;
}

}  // namespace

TEST_CASE("a connection first says PUT or GET, and nothing else") {
  CHECK(read_request(Mode::unset, "PUT").mode == Mode::put);
  CHECK(read_request(Mode::unset, "GET").mode == Mode::get);
  CHECK(read_request(Mode::unset, "QUIT").kind == Kind::quit);
  for (std::string word : {"put", "PUTs", "PUT\n", "HELLO", "P", "GET / HTTP/1.1\r\n\r\n"})
    CHECK(read_request(Mode::unset, word).kind == Kind::hang_up);
}

TEST_CASE("a PUT is a padded name and a body that may hold any byte") {
  std::string body("\0\xff QUIT\r\n", 9);
  std::string message = padded("jobs") + body;
  Request request = read_request(Mode::put, message);
  CHECK(request.kind == Kind::put);
  CHECK(request.queue == "jobs");
  CHECK(request.body == body);
}

TEST_CASE("a name is trimmed on PUT, and on PUT only") {
  CHECK(read_request(Mode::put, padded("\t jobs") + "x").queue == "jobs");
  CHECK(read_request(Mode::put, std::string(name_size, 'n') + "x").queue ==
        std::string(name_size, 'n'));
  CHECK(read_request(Mode::get, "jobs").queue == "jobs");
  CHECK(read_request(Mode::get, "jobs ").kind == Kind::refuse);
}

TEST_CASE("what no queue can hold or nobody could read is refused") {
  CHECK(read_request(Mode::put, "short").kind == Kind::refuse);
  CHECK(read_request(Mode::put, padded("jobs")).kind == Kind::refuse);
  CHECK(read_request(Mode::put, padded("") + "body").kind == Kind::refuse);
  CHECK(read_request(Mode::put, padded("two words") + "body").kind == Kind::refuse);
  CHECK(read_request(Mode::put, std::string(name_size, '\0') + "body").kind == Kind::refuse);
  CHECK(read_request(Mode::get, std::string(200, 'n')).kind == Kind::get);
  CHECK(read_request(Mode::get, std::string(201, 'n')).kind == Kind::refuse);
}

TEST_CASE("QUIT ends a connection in every mode, but not inside a body") {
  for (Mode mode : {Mode::unset, Mode::put, Mode::get})
    CHECK(read_request(mode, "QUIT").kind == Kind::quit);
  CHECK(read_request(Mode::put, padded("jobs") + "QUIT").kind == Kind::put);
}

TEST_CASE("a short message with a body is whole, and needs no pause") {
  CHECK_FALSE(may_go_on(Mode::put, padded("jobs") + "x"));
  CHECK_FALSE(may_go_on(Mode::put, padded("jobs") + std::string(packet_size_min - 33, 'x')));
  CHECK_FALSE(may_go_on(Mode::get, "jobs"));
  CHECK_FALSE(may_go_on(Mode::unset, "PUT"));
  CHECK_FALSE(may_go_on(Mode::put, "QUIT"));
}

TEST_CASE("the beginning of a word, a name without body, a full packet: more may come") {
  CHECK(may_go_on(Mode::unset, "P"));
  CHECK(may_go_on(Mode::unset, "GE"));
  CHECK(may_go_on(Mode::get, "QUI"));
  CHECK(may_go_on(Mode::put, "Q"));
  CHECK(may_go_on(Mode::put, "job"));
  CHECK(may_go_on(Mode::put, padded("jobs")));
  CHECK(may_go_on(Mode::put, padded("jobs") + std::string(packet_size_min - 32, 'x')));
  CHECK(may_go_on(Mode::get, std::string(packet_size_min, 'x')));
}

TEST_CASE("a gatherer joins pieces, cuts at its limit and counts what it cut") {
  Gatherer gatherer(10);
  gatherer.add("12345");
  gatherer.add("678");
  CHECK(gatherer.message() == "12345678");
  CHECK(gatherer.cut() == 0);
  gatherer.add("90abc");
  gatherer.add("def");
  CHECK(gatherer.message() == "1234567890");
  CHECK(gatherer.cut() == 6);
  gatherer.clear();
  CHECK(gatherer.empty());
  CHECK(gatherer.cut() == 0);
}
