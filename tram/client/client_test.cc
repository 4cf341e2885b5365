#include "tram/client/client.h"

#include <doctest/doctest.h>

#include "tram/base/system_clock.h"
#include "tram/client/fake_server.h"

using namespace std::chrono_literals;
using namespace tram::client;
using tram::base::Bytes;
using tram::base::BytesView;
using tram::base::Duration;
using tram::base::Errc;
using tram::base::Result;
using tram::base::SystemClock;

namespace {

// Long enough for any machine; no test waits for it when all is well.
constexpr Duration patience = 20s;

SystemClock system_clock;

Options options_for(const FakeServer& server) {
  return {.servers = *parse_addresses(server.url()),
          .connect_timeout = patience,
          .backoff = {.first = 1ms, .most = 2ms},
          .seed = 42};
}

std::unique_ptr<Client> connected(const Options& options) {
  auto client = Client::connect(options, system_clock);
  REQUIRE_MESSAGE(client, client.error().text());
  return std::move(*client);
}

}  // namespace

TEST_CASE("a publish is sent with its reply and headers when the client flushes") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.expect("PUB orders.eu 5");
    peer.expect("hello");
    peer.expect("PUB ask inbox 0");
    peer.expect("");
    peer.expect("HPUB with 18 20");
    peer.expect("NATS/1.0");
    peer.expect("A: 1");
    peer.expect("");
    peer.expect("hi");
    peer.expect("PING");
    peer.say("PONG\r\n");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  CHECK(client->publish("orders.eu", "hello"));
  CHECK(client->publish("ask", "", "inbox"));
  CHECK(client->publish("with", "hi", {}, "NATS/1.0\r\nA: 1\r\n\r\n"));
  CHECK(client->flush(patience));
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("what the server would refuse is refused before anything is sent") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet(R"({"headers":false,"max_payload":10})");
    peer.expect("PING");
    peer.say("PONG\r\n");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  CHECK(client->publish("a b", "").error().code == Errc::invalid_subject);
  CHECK(client->publish("a.*", "").error().code == Errc::wildcard_in_publish);
  CHECK(client->publish("a", Bytes(11, 'x')).error().code == Errc::message_too_large);
  CHECK(client->publish("a", "", {}, "NATS/1.0\r\n\r\n").error().code != Errc::invalid_subject);
  CHECK(client->subscribe("a..b").error().code == Errc::invalid_subject);
  CHECK(client->flush(patience));
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("messages go to their subscriptions: to handlers, or to next") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.expect("SUB a 1");
    peer.expect("SUB b workers 2");
    peer.say(
        "MSG b 2 3\r\none\r\nMSG a 1 r 3\r\ntwo\r\nMSG a 9 5\r\nstray\r\nHMSG b 2 12 "
        "17\r\nNATS/1.0\r\n\r\nthree\r\n");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  std::string heard;
  REQUIRE(client->subscribe("a", {}, [&](const Message& message) {
    heard.append(message.subject)
        .append(":")
        .append(message.payload)
        .append("->")
        .append(message.reply);
  }));
  auto pulled = client->subscribe("b", {.group = "workers"});
  REQUIRE(pulled);
  auto first = client->next(patience);
  REQUIRE((first && *first));
  CHECK((*first)->payload == "one");
  CHECK((*first)->subscription == *pulled);
  auto second = client->next(patience);
  REQUIRE((second && *second));
  CHECK((*second)->payload == "three");
  CHECK(heard == "a:two->r");
  CHECK(!*client->next(Duration()));
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("a subscription with a maximum ends by itself, on both sides") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.expect("SUB a 1");
    peer.expect("UNSUB 1 2");
    peer.say("MSG a 1 1\r\n1\r\nMSG a 1 1\r\n2\r\nMSG a 1 1\r\n3\r\nPING\r\n");
    peer.expect("PONG");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  std::string heard;
  REQUIRE(client->subscribe("a", {.messages_max = 2},
                            [&](const Message& message) { heard += message.payload; }));
  CHECK(client->next(10ms));
  CHECK(client->run_until([&] { return heard.size() >= 2; }, patience));
  CHECK(client->next(50ms));
  CHECK(heard == "12");
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("a handler may end its own subscription and others, and may publish, but may not read") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.expect("SUB a 1");
    peer.expect("SUB b 2");
    peer.say("MSG a 1 1\r\nx\r\nMSG b 2 1\r\nx\r\nMSG a 1 1\r\nx\r\n");
    peer.expect("UNSUB 1");
    peer.expect("UNSUB 2");
    peer.expect("PUB done 0");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  int heard = 0;
  Errc refusal = Errc::cancelled;
  SubscriptionId a, b;
  auto handler = [&](const Message&) {
    ++heard;
    refusal = client->flush().error().code;
    client->unsubscribe(a);
    client->unsubscribe(b);
    CHECK(client->publish("done", ""));
  };
  a = *client->subscribe("a", {}, handler);
  b = *client->subscribe("b", {}, handler);
  CHECK(client->run_until([&] { return heard > 0; }, patience));
  CHECK(!*client->next(20ms));
  CHECK(heard == 1);
  CHECK(refusal == Errc::invalid_argument);
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("a request is answered, and nobody listening is told at once") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    std::string inbox = peer.line();  // SUB _INBOX.<random>.* 1
    inbox = inbox.substr(4, inbox.size() - 4 - 4);
    peer.expect("PUB time " + inbox + ".1 4");
    peer.expect("what");
    peer.say("MSG " + inbox + ".1 1 4\r\nnoon\r\n");
    peer.expect("PUB nobody " + inbox + ".2 0");
    peer.expect("");
    peer.say("HMSG " + inbox + ".2 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  auto reply = client->request("time", "what", {.timeout = patience});
  REQUIRE(reply);
  CHECK(reply->payload == "noon");
  CHECK(client->request("nobody", "", {.timeout = patience}).error().code == Errc::no_responders);
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("a request without an answer times out, and a late answer is dropped") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    std::string inbox = peer.line();
    inbox = inbox.substr(4, inbox.size() - 4 - 4);
    peer.line();
    peer.line();
    peer.expect("PING");
    peer.say("MSG " + inbox + ".1 1 4\r\nlate\r\nPONG\r\n");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  CHECK(client->request("slow", "", {.timeout = 10ms}).error().code == Errc::timed_out);
  CHECK(client->flush(patience));
  CHECK(client->requests_waiting() == 0);
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE(
    "after a lost connection the client comes back with its subscriptions and what is left of "
    "them") {
  FakeServer server({[](FakePeer& peer) {
                       peer.greet();
                       peer.expect("SUB a 1");
                       peer.expect("SUB b g 2");
                       peer.expect("UNSUB 2 3");
                       peer.say("MSG b 2 1\r\nx\r\n");
                     },
                     [](FakePeer& peer) {
                       std::string between = peer.greet();
                       bool right = between == "SUB a 1|SUB b g 2|UNSUB 2 2" ||
                                    between == "SUB b g 2|UNSUB 2 2|SUB a 1";
                       if (!right) peer.expect("not " + between);
                       peer.say("MSG a 1 4\r\nback\r\n");
                       peer.until_closed();
                     }});
  std::string events;
  Options options = options_for(server);
  options.on_event = [&](Event event, std::string_view) {
    events += event == Event::disconnected  ? "lost "
              : event == Event::reconnected ? "back "
                                            : "other ";
  };
  auto client = connected(options);
  std::string heard;
  auto hear = [&](const Message& message) { heard += message.payload; };
  REQUIRE(client->subscribe("a", {}, hear));
  REQUIRE(client->subscribe("b", {.group = "g", .messages_max = 3}, hear));
  CHECK(client->run_until([&] { return heard == "xback"; }, patience));
  CHECK(events == "lost back ");
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("what may have been lost with a connection is told by the next flush, once") {
  FakeServer server({[](FakePeer& peer) {
                       peer.greet();
                       peer.expect("SUB a 1");
                     },
                     [](FakePeer& peer) {
                       peer.greet();
                       for (int i = 0; i < 2; ++i) {
                         peer.expect("PING");
                         peer.say("PONG\r\n");
                       }
                       peer.until_closed();
                     }});
  auto client = connected(options_for(server));
  REQUIRE(client->subscribe("a"));
  REQUIRE(client->publish("somewhere", "x"));
  CHECK(!*client->next(200ms));  // sends, loses the connection, makes a new one
  CHECK(client->flush(patience).error().code == Errc::connection_lost);
  CHECK(client->flush(patience));
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("without reconnect a lost connection stays lost, and requests hear of it") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.line();
    peer.line();
  }});
  Options options = options_for(server);
  options.reconnect = false;
  auto client = connected(options);
  CHECK(client->request("a", "", {.timeout = patience}).error().code == Errc::connection_lost);
  CHECK(!client->is_connected());
  CHECK(client->publish("a", "").error().code == Errc::connection_lost);
}

TEST_CASE("a server that refuses us is told apart from one that is not there") {
  FakeServer server({[](FakePeer& peer) {
    peer.say("INFO {}\r\n");
    peer.line();
    peer.line();
    peer.say("-ERR 'Authorization Violation'\r\n");
  }});
  CHECK(Client::connect(options_for(server), system_clock).error().code == Errc::unauthorized);
  FakeServer other({[](FakePeer& peer) { peer.say("HTTP/1.1 400 Bad Request\r\n\r\n"); }});
  CHECK(Client::connect(options_for(other), system_clock).error().code == Errc::protocol_error);
  FakeServer tls({[](FakePeer& peer) { peer.say("INFO {\"tls_required\":true}\r\n"); }});
  CHECK(Client::connect(options_for(tls), system_clock).error().code == Errc::protocol_error);
  FakeServer gone({});
  gone.mistakes();
  CHECK(Client::connect(options_for(gone), system_clock).error().code == Errc::unreachable);
}

TEST_CASE("an objection of the server reaches the next flush") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.expect("PING");
    peer.say("-ERR 'Permissions Violation for Publish to \"a\"'\r\nPONG\r\n");
    peer.expect("PING");
    peer.say("PONG\r\n");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  CHECK(client->flush(patience).error().code == Errc::unauthorized);
  CHECK(client->flush(patience));
}

TEST_CASE(
    "the next server is tried when one is not there, and credentials of the options are used") {
  FakeServer gone({});
  gone.mistakes();
  std::string connect;
  FakeServer server({[&](FakePeer& peer) {
    peer.greet();
    connect = peer.connect();
    peer.until_closed();
  }});
  Options options = options_for(server);
  options.servers.insert(options.servers.begin(), *parse_address(gone.url()));
  options.user = "joe";
  options.password = "pw";
  auto client = connected(options);
  CHECK(client->address().port == server.port());
  client->close();
  server.mistakes();
  CHECK(connect.find(R"("user":"joe")") != std::string::npos);
}

TEST_CASE("two sides that write much at once do not lock each other up, and views stay whole") {
  constexpr size_t count = 3000;
  Bytes body(4096, 'b');
  FakeServer server({[&](FakePeer& peer) {
    peer.greet();
    peer.expect("SUB in 1");
    // Writes without reading: only a client that reads while it writes gets past this.
    for (size_t i = 0; i < count; ++i) peer.say("MSG in 1 4096\r\n" + body + "\r\n");
    for (size_t i = 0; i < count; ++i) {
      peer.expect("PUB out 4096");
      peer.exactly(4098);
    }
    peer.expect("PING");
    peer.say("PONG\r\n");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  size_t heard = 0;
  bool whole = true;
  REQUIRE(client->subscribe("in", {}, [&](const Message& message) {
    ++heard;
    whole = whole && message.payload == body;
  }));
  REQUIRE(client->next(Duration()));
  for (size_t i = 0; i < count; ++i) REQUIRE(client->publish("out", body));
  CHECK(client->flush(patience));
  CHECK(heard == count);
  CHECK(whole);
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("messages for next that come during other calls are kept, up to a limit that is told") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.expect("SUB a 1");
    peer.expect("PING");
    for (int i = 0; i < 10; ++i) peer.say("MSG a 1 10\r\n0123456789\r\n");
    peer.expect("PING");
    peer.say("PONG\r\nPONG\r\n");
    peer.until_closed();
  }});
  Options options = options_for(server);
  options.backlog_bytes_max = 50;
  auto client = connected(options);
  REQUIRE(client->subscribe("a"));
  CHECK(client->flush(patience).error().code == Errc::overloaded);
  for (int i = 0; i < 10; ++i) {
    auto message = client->next(patience);
    REQUIRE((message && *message));
    CHECK((*message)->payload == "0123456789");
  }
  CHECK(client->flush(patience));
  client->close();
  CHECK(server.mistakes() == "");
}

TEST_CASE("drain hands over what is on its way, and then the client is closed") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.expect("SUB a 1");
    peer.expect("UNSUB 1");
    peer.expect("PING");
    peer.say("MSG a 1 4\r\nlast\r\nPONG\r\n");
    peer.until_closed();
  }});
  auto client = connected(options_for(server));
  std::string heard;
  REQUIRE(client->subscribe("a", {}, [&](const Message& message) { heard += message.payload; }));
  CHECK(client->drain(patience));
  CHECK(heard == "last");
  CHECK(client->publish("a", "").error().code == Errc::connection_lost);
  CHECK(server.mistakes() == "");
}

TEST_CASE("a server that gives no sign of life is given up") {
  FakeServer server({[](FakePeer& peer) {
    peer.greet();
    peer.expect("PING");
    peer.expect("PING");
    peer.until_closed();
  }});
  Options options = options_for(server);
  options.reconnect = false;
  options.ping_interval = 5ms;
  auto client = connected(options);
  CHECK(client->next(patience).error().code == Errc::connection_lost);
  CHECK(server.mistakes() == "");
}

TEST_CASE("many clients read into one buffer in turn, and keep their halves apart") {
  auto script = [](const char* first, const char* second) {
    return [first, second](FakePeer& peer) {
      peer.greet();
      peer.expect("SUB a 1");
      peer.say(first);
      peer.expect("PUB go 0");
      peer.expect("");
      peer.say(second);
      peer.until_closed();
    };
  };
  FakeServer one({script("MSG a 1 10\r\nabcde", "fghij\r\n")});
  FakeServer two({script("MSG a 1 10\r\n01234", "56789\r\n")});
  auto buffer = std::make_shared<Buffer>(64);
  std::string heard[2];
  std::unique_ptr<Client> clients[2];
  for (int i = 0; i < 2; ++i) {
    Options options = options_for(i == 0 ? one : two);
    options.read_buffer = buffer;
    clients[i] = connected(options);
    REQUIRE(clients[i]->subscribe(
        "a", {}, [&heard, i](const Message& message) { heard[i] += message.payload; }));
  }
  auto turn = [&] {
    for (auto& client : clients) REQUIRE(client->poll());
  };
  for (int i = 0; i < 1000; ++i) turn();
  for (auto& client : clients) REQUIRE(client->publish("go", ""));
  while (heard[0].empty() || heard[1].empty()) turn();
  CHECK(heard[0] == "abcdefghij");
  CHECK(heard[1] == "0123456789");
}
