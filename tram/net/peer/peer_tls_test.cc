// Peers through TLS: who may talk to whom, and what both are told if they may not.
#include <doctest/doctest.h>
#include <filesystem>
#include <thread>

#include "tram/net/peer.h"
#include "tram/net/testing/certificates.h"
#include "tram/net/testing/hand_clock.h"
#include "tram/net/testing/peers.h"
#include "tram/net/testing/stranger.h"

using namespace std::chrono_literals;
using namespace tram::net;
using namespace tram::net::testing;
using tram::base::Errc;

namespace {

Authority& authority() {
  static Authority one;
  return one;
}

std::unique_ptr<Peer> open_with(const TlsOptions& tls, Confirm confirm = Confirm::handed) {
  return open({.tls = tls, .confirm = confirm});
}

std::unique_ptr<Peer> listening_with(const TlsOptions& tls) { return listening({.tls = tls}); }

// Sends it, and says what became of it: "", or the error's code and detail.
std::string outcome(Peer& peer, const std::string& address, const std::string& text = "hello") {
  auto sent = peer.send_and_wait(address, text);
  return sent ? "" : std::string(name_of(sent.error().code)) + ": " + sent.error().detail;
}

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("peers with certificates of one authority talk, both ways, and know who it is") {
  auto a = listening_with(authority().issue({.name = "a"}));
  auto b = open_with(authority().issue({.name = "b", .alternative_names = "email:b@example.org"}));
  REQUIRE(b->send(a->address(), "hello"));
  Datagram question = next(*a);
  CHECK(question.data == "hello");
  CHECK(question.identity() == "b@example.org");
  REQUIRE(a->send(question.from(), "hello yourself"));
  Datagram answer = next(*b);
  CHECK(answer.data == "hello yourself");
  CHECK(answer.identity() == "localhost");
  CHECK(answer.from() == a->address());
  CHECK(a->stats().faults == 0);
}

TEST_CASE("large messages, many messages and counts go through TLS as they do without") {
  auto a = listening_with(authority().issue());
  auto b = open_with(authority().issue(), Confirm::received);
  std::string large(3'000'000, 'x');
  large.back() = 'y';
  REQUIRE(b->send_and_wait(a->address(), large));
  CHECK(next_text(*a) == large);
  for (int i = 0; i < 10'000; ++i) REQUIRE(b->send(a->address(), std::to_string(i)));
  for (int i = 0; i < 10'000; ++i) REQUIRE(next_text(*a) == std::to_string(i));
  REQUIRE(b->send_and_wait(a->address(), "the end"));
  CHECK(b->stats().messages_sent == 10'002);
}

TEST_CASE("whoever cannot be trusted is dialled in vain, and at once") {
  Authority stranger;
  TlsOptions called = stranger.issue();
  called.authorities = authority().issue().authorities;
  auto a = listening_with(called);
  auto b = open({.tls = authority().issue(), .unreachable_max = 1h});
  std::string told = outcome(*b, a->address());
  CHECK_MESSAGE(
      says(told, "tls_failed: " + a->address() + ": its certificate is not to be trusted"), told);
  CHECK(b->stats().dials_failed == 1);
  // The other side is told that it was refused.
  Datagram datagram = next(*a);
  REQUIRE(datagram.error);
  CHECK(datagram.error->code == Errc::tls_failed);
  CHECK_MESSAGE(says(datagram.error->detail, "it refused"), datagram.error->detail);
  CHECK(a->stats().faults == 1);
}

TEST_CASE("a name that the certificate does not carry is not trusted, another may be expected") {
  auto a = listening_with(authority().issue({.alternative_names = "DNS:a.example"}));
  TlsOptions caller = authority().issue();
  auto b = open_with(caller);
  std::string told = outcome(*b, a->address());
  CHECK_MESSAGE(says(told, "IP address mismatch"), told);
  caller.server_name = "a.example";
  auto c = open_with(caller);
  CHECK(outcome(*c, a->address()) == "");
}

TEST_CASE("a dialler that is refused is told, also if it heard so only after its handshake") {
  auto a = listening_with(authority().issue());
  auto b = open_with({.authorities = authority().issue().authorities}, Confirm::received);
  std::string told = outcome(*b, a->address());
  CHECK_MESSAGE(says(told, "tls_failed: " + a->address() + ": it refused"), told);
  CHECK(next_error(*b) == Errc::tls_failed);
  Datagram datagram = next(*a);
  REQUIRE(datagram.error);
  CHECK_MESSAGE(says(datagram.error->detail, "it shows no certificate"), datagram.error->detail);
}

TEST_CASE("a refusal that comes while a dialler closes is told in its inbox") {
  auto a = listening_with(authority().issue());
  auto b = open_with({.authorities = authority().issue().authorities});
  REQUIRE(b->send(a->address(), "handed over, and lost"));
  b->close();
  CHECK(next_error(*b) == Errc::tls_failed);
}

TEST_CASE("closing ends connections in order, though one has not shaken hands") {
  HandClock standing;  // Nothing that waits for time to pass gets on.
  auto opened = Peer::open({.listen = {"127.0.0.1:0"}, .tls = authority().issue()}, standing);
  REQUIRE_MESSAGE(opened, opened.error().text());
  Peer& a = **opened;
  Stranger silent(a.address());
  while (a.stats().connections == 0) std::this_thread::yield();
  auto b = open_with(authority().issue(), Confirm::received);
  REQUIRE(b->send_and_wait(a.address(), "hello"));
  a.close();
  CHECK(silent.hears_end());
}

TEST_CASE("without mutual anybody may talk to it") {
  TlsOptions called = authority().issue();
  called.mutual = false;
  auto a = listening_with(called);
  auto b = open_with({.authorities = called.authorities});
  CHECK(outcome(*b, a->address()) == "");
  CHECK(next(*a).identity() == "");
}

TEST_CASE("one side with TLS and one without do not meet, and say why") {
  auto with = listening_with(authority().issue());
  auto without = listening();
  auto plain = open({.confirm = Confirm::received, .unreachable_max = 0s});
  auto secure = open({.tls = authority().issue(), .unreachable_max = 0s});

  CHECK(says(outcome(*plain, with->address()), "connection_lost"));
  Datagram datagram = next(*with);
  REQUIRE(datagram.error);
  CHECK(datagram.error->code == Errc::tls_failed);
  CHECK_MESSAGE(says(datagram.error->detail, "it does not speak TLS"), datagram.error->detail);

  std::string told = outcome(*secure, without->address());
  CHECK_MESSAGE(says(told, "does it speak TLS?"), told);
  datagram = next(*without);
  REQUIRE(datagram.error);
  CHECK(datagram.error->code == Errc::protocol_error);
  CHECK_MESSAGE(says(datagram.error->detail, "TLS does"), datagram.error->detail);
}

TEST_CASE("whoever connects and leaves, or says something else, disturbs nobody") {
  auto a = listening_with(authority().issue());
  auto b = open_with(authority().issue(), Confirm::received);
  REQUIRE(b->send_and_wait(a->address(), "one"));
  {
    Stranger leaves(a->address());
  }
  {
    Stranger noisy(a->address());
    noisy.say("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    noisy.hear(4096);
  }
  REQUIRE(b->send_and_wait(a->address(), "two"));
  int messages = 0;
  int errors = 0;
  for (int i = 0; i < 3; ++i) {
    Datagram datagram = next(*a);
    ++(datagram.error ? errors : messages);
    if (datagram.error)
      CHECK_MESSAGE(says(datagram.error->detail, "http request"), datagram.error->detail);
  }
  CHECK(messages == 2);
  CHECK(errors == 1);
  CHECK(a->stats().faults == 1);
}

TEST_CASE(
    "certificates are renewed for connections from then on, and what is wrong changes nothing") {
  TlsOptions first = authority().issue({.alternative_names = "DNS:localhost,DNS:first"});
  auto a = listening({.listen = {"127.0.0.1:0"}, .tls = first});
  std::string address = "localhost:" + a->address().substr(a->address().rfind(':') + 1);
  auto ask = [&] {
    auto b = open_with(authority().issue(), Confirm::received);
    REQUIRE(b->send_and_wait(address, "who are you?"));
    REQUIRE(a->send(next(*a).from(), "me"));
    return std::string(next(*b).identity());
  };
  CHECK(ask() == "localhost");
  TlsOptions second =
      authority().issue({.alternative_names = "email:second@example.org,DNS:localhost"});
  TlsOptions wrong = second;
  wrong.key = first.key;
  auto renewed = a->renew_tls(wrong);
  REQUIRE(!renewed);
  CHECK(renewed.error().code == Errc::tls_failed);
  CHECK(ask() == "localhost");
  REQUIRE(a->renew_tls(second));
  CHECK(ask() == "second@example.org");
  CHECK(listening()->renew_tls(second).error().code == Errc::invalid_argument);
}

TEST_CASE("a Unix socket is dialled with the name that its certificate must carry") {
  std::string address = "unix:" + (authority().folder() / "socket").string();
  auto a = listening({.listen = {address}, .tls = authority().issue()});
  auto nameless = open_with(authority().issue());
  CHECK(nameless->send(address, "hello").error().code == Errc::invalid_argument);
  TlsOptions caller = authority().issue();
  caller.server_name = "localhost";
  auto b = open_with(caller);
  REQUIRE(b->send(address, "hello"));
  CHECK(next_text(*a) == "hello");
}

TEST_CASE("files that are wrong are told when it is opened") {
  TlsOptions tls = authority().issue();
  tls.certificate = "/nowhere/certificate.pem";
  auto opened = Peer::open({.listen = {"127.0.0.1:0"}, .tls = tls}, clock_of_tests);
  REQUIRE(!opened);
  CHECK(opened.error().code == Errc::tls_failed);
  CHECK_MESSAGE(says(opened.error().detail, "/nowhere/certificate.pem"), opened.error().detail);
}
