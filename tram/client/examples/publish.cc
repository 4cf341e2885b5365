// Publishes words, asks a question, and says what came of it.
//
//   client_example_publish 127.0.0.1:4222
#include <cstdio>

#include "tram/base/system_clock.h"
#include "tram/client/client.h"

using namespace std::chrono_literals;
using namespace tram::client;

namespace {

int fail(const tram::base::Error& error) {
  std::fprintf(stderr, "%s\n", error.text().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  auto servers = parse_addresses(argc > 1 ? argv[1] : "127.0.0.1:4222");
  if (!servers) return fail(servers.error());
  tram::base::SystemClock clock;
  auto client = Client::connect({.servers = *servers, .name = "publish example"}, clock);
  if (!client) return fail(client.error());

  // Whoever listens: here, ourselves.
  int heard = 0;
  auto subscribed = (*client)->subscribe("greetings.*", {}, [&](const Message& message) {
    ++heard;
    std::printf("%.*s\n", static_cast<int>(message.payload.size()), message.payload.data());
    // Answering may fail only if nobody asked or the connection is gone.
    if (!message.reply.empty()) (void)(*client)->respond(message, "and to you");
  });
  if (!subscribed) return fail(subscribed.error());

  for (int i = 0; i < 3; ++i) {
    if (auto published = (*client)->publish("greetings.en", "hello"); !published) {
      return fail(published.error());
    }
  }
  auto reply = (*client)->request("greetings.en", "how do you do", {.timeout = 2s});
  if (!reply) return fail(reply.error());
  std::printf("answer: %.*s\n", static_cast<int>(reply->payload.size()), reply->payload.data());
  if (auto drained = (*client)->drain(); !drained) return fail(drained.error());
  return heard == 4 ? 0 : 1;
}
