#include "tram/client/queue_replies.h"

#include <doctest/doctest.h>

using namespace tram::client;
using tram::base::Errc;

TEST_CASE("a broker's error is known by its header or by its body") {
  auto by_header =
      error_in({.headers = HeadersView("NATS/1.0\r\nTram-Error: lease_ended\r\n\r\n")});
  REQUIRE(by_header);
  CHECK(by_header->code == Errc::lease_ended);
  auto by_body =
      error_in({.payload = R"({"error":{"code":"queue_not_found","message":"no queue x"}})"});
  REQUIRE(by_body);
  CHECK(by_body->code == Errc::queue_not_found);
  CHECK(by_body->detail == "no queue x");
  CHECK(!error_in({.payload = R"({"id":1})"}));
}

TEST_CASE("a code that we do not know yet is an error all the same") {
  auto error = error_in({.headers = HeadersView("NATS/1.0\r\nTram-Error: brand_new\r\n\r\n")});
  REQUIRE(error);
  CHECK(error->code == Errc::protocol_error);
  CHECK(error->detail.find("brand_new") != std::string::npos);
}

TEST_CASE("the sentence of a code is not said twice") {
  auto error = error_in(
      {.payload =
           R"json({"error":{"code":"queue_not_found","message":"there is no queue of that name (x)"}})json"});
  CHECK(error->text() == "there is no queue of that name (x)");
}

TEST_CASE("replies are read, and what is not a reply is refused") {
  auto put = parse_put_reply(
      R"({"id":18446744073709551615,"queue":"q","durability":"disk","duplicate":true})");
  REQUIRE(put);
  CHECK(put->id == UINT64_MAX);
  CHECK(put->durability == "disk");
  CHECK(put->duplicate);
  for (const char* bad : {"", "{}", "[]", "{\"id\":-1}", "{\"id\":\"1\"}"})
    CHECK(!parse_put_reply(bad));

  auto list = parse_queue_list(
      R"({"queues":[{"name":"a","ready":2,"oldest_ready_age_ms":1500},{"name":"b"}]})");
  REQUIRE(list);
  CHECK(list->size() == 2);
  CHECK((*list)[0].ready == 2);
  CHECK((*list)[0].oldest_ready_age.milliseconds() == 1500);
  CHECK(!parse_queue_list(R"({"queues":[5]})"));
  CHECK(*parse_removed(R"({"ok":true,"count":3})") == 3);
  CHECK(!parse_removed(R"({"ok":false})"));
}

TEST_CASE("a delivery carries its lease and keeps its bytes") {
  auto delivery = parse_delivery(
      {.reply = "$TRAM.ACK.q.7.t1",
       .headers = HeadersView(
           "NATS/1.0\r\nTram-Id: 7\r\nTram-Queue: q\r\nTram-Attempt: 2\r\nTram-Lease: t1\r\n\r\n"),
       .payload = "body"});
  REQUIRE(delivery);
  CHECK(delivery->id == 7);
  CHECK(delivery->attempt == 2);
  CHECK(delivery->lease == "t1");
  CHECK(delivery->answer_to == "$TRAM.ACK.q.7.t1");
  CHECK(!parse_delivery({.payload = "no headers"}));
}
