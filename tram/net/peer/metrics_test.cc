#include "tram/net/peer/metrics.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "tram/net/testing/peers.h"

using namespace tram::net;
using namespace tram::net::testing;

namespace {

bool has_line(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a peer's numbers are on the page, each with its help and its type") {
  auto a = listening();
  auto b = open();
  for (int i = 0; i < 3; ++i) REQUIRE(b->send_and_wait(a->address(), "hello"));
  for (int i = 0; i < 3; ++i) CHECK(next_text(*a) == "hello");
  std::string sender = prometheus_text(b->stats());
  CHECK(has_line(sender,
                 "# HELP tram_peer_messages_sent_total Messages confirmed: handed to the "
                 "kernel, or received, as the peer was told."));
  CHECK(has_line(sender, "# TYPE tram_peer_messages_sent_total counter"));
  CHECK(has_line(sender, "tram_peer_messages_sent_total 3"));
  CHECK(has_line(sender, "tram_peer_sent_bytes_total 18"));
  CHECK(has_line(sender, "# TYPE tram_peer_connections gauge"));
  CHECK(has_line(sender, "tram_peer_connections_dialled_total 1"));
  CHECK(has_line(sender, "tram_peer_messages_lost_total 0"));
  std::string receiver = prometheus_text(a->stats(), {{"peer", "a"}, {"zone", "x \"1\"\n"}});
  CHECK(has_line(receiver, R"(tram_peer_messages_received_total{peer="a",zone="x \"1\"\n"} 3)"));
  CHECK(has_line(receiver, R"(tram_peer_received_bytes_total{peer="a",zone="x \"1\"\n"} 15)"));
}

TEST_CASE("every number is there, under a name of its own, once for each peer") {
  // Thirteen different ones, so that none can stand for another.
  PeerSeries one{{.connections = 1,
                  .addresses = 2,
                  .accepted = 3,
                  .refused = 4,
                  .dialled = 5,
                  .dials_failed = 6,
                  .messages_sent = 7,
                  .bytes_sent = 8,
                  .messages_lost = 9,
                  .messages_received = 10,
                  .bytes_received = 11,
                  .faults = 12,
                  .pauses = 13},
                 {{"peer", "one"}}};
  PeerSeries two{{}, {{"peer", "two"}}};
  std::string page = prometheus_text(std::vector{one, two});
  const char* names[] = {"connections",
                         "addresses",
                         "connections_accepted_total",
                         "connections_refused_total",
                         "connections_dialled_total",
                         "dials_failed_total",
                         "messages_sent_total",
                         "sent_bytes_total",
                         "messages_lost_total",
                         "messages_received_total",
                         "received_bytes_total",
                         "faults_total",
                         "pauses_total"};
  int number = 0;
  size_t lines = 0;
  for (const char* name : names) {
    std::string full = std::string("tram_peer_") + name;
    CAPTURE(full);
    CHECK(has_line(page, full + "{peer=\"one\"} " + std::to_string(++number)));
    CHECK(has_line(page, full + "{peer=\"two\"} 0"));
    lines += 4;  // And help, and type.
  }
  CHECK(static_cast<size_t>(std::ranges::count(page, '\n')) == lines);
}

TEST_CASE("promtool finds no fault with the page") {
  if (std::system("command -v promtool > /dev/null 2>&1") != 0) {
    MESSAGE("promtool is not here, so it did not judge");
    return;
  }
  std::string page = prometheus_text(
      std::vector{PeerSeries{{}, {{"peer", "a"}}}, PeerSeries{{}, {{"peer", "b"}}}});
  FILE* promtool = ::popen("promtool check metrics", "w");
  REQUIRE(promtool != nullptr);
  CHECK(std::fwrite(page.data(), 1, page.size(), promtool) == page.size());
  CHECK(::pclose(promtool) == 0);
}
