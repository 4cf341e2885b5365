// Works off a queue: takes a message, does the work, acknowledges it; releases it if the work
// fails. A broker that restarts is waited for.
//
//   client_example_worker 127.0.0.1:4222 jobs 10     ends after ten messages
#include <cstdio>
#include <cstdlib>

#include "tram/base/system_clock.h"
#include "tram/client/queue.h"

using namespace std::chrono_literals;
using namespace tram::client;
using tram::base::Errc;

namespace {

// The work: fails for an empty message.
bool work(const Delivery& delivery) {
  std::printf("message %llu, attempt %llu: %zu bytes\n",
              static_cast<unsigned long long>(delivery.id),
              static_cast<unsigned long long>(delivery.attempt), delivery.payload.size());
  return !delivery.payload.empty();
}

int fail(const tram::base::Error& error) {
  std::fprintf(stderr, "%s\n", error.text().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  auto servers = parse_addresses(argc > 1 ? argv[1] : "127.0.0.1:4222");
  if (!servers) return fail(servers.error());
  const char* queue = argc > 2 ? argv[2] : "jobs";
  long left = argc > 3 ? std::atol(argv[3]) : -1;

  tram::base::SystemClock clock;
  auto client = Client::connect({.servers = *servers, .name = "worker example"}, clock);
  if (!client) return fail(client.error());
  Queues queues(**client);

  while (left != 0) {
    auto taken = queues.take(queue, {.n = 1, .wait = 30s, .lease = 60s});
    if (!taken && taken.error().code == Errc::connection_lost) {
      if (auto back = (*client)->await_connection(60s); !back) return fail(back.error());
      continue;
    }
    if (!taken) return fail(taken.error());
    for (const Delivery& delivery : *taken) {
      auto answered = work(delivery) ? queues.ack(delivery) : queues.release(delivery);
      // lease_ended: we were too slow, and somebody else has it now.
      if (!answered) fail(answered.error());
      if (left > 0) --left;
    }
  }
  return 0;
}
