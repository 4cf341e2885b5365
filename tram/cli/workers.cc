#include "tram/cli/workers.h"

#include <csignal>
#include <poll.h>
#include <vector>

namespace tram::cli {

using base::Clock;
using base::Duration;
using base::Errc;
using base::failure;
using base::Result;
using base::Time;
using client::Client;
using client::StopDescriptor;

void Workers::add(Child child, EndHandler on_end) {
  workers_.push_back({std::move(child), std::move(on_end)});
}

// False if the stop descriptor ended the wait.
bool Workers::wait(int descriptor, bool or_write, const Clock& clock, Time deadline,
                   StopDescriptor stop) {
  std::vector<pollfd> set;
  set.push_back({stop.descriptor, POLLIN, 0});
  set.push_back({descriptor, static_cast<short>(or_write ? POLLIN | POLLOUT : POLLIN), 0});
  for (const Worker& worker : workers_) {
    set.push_back({worker.child.input_descriptor(), POLLOUT, 0});
    set.push_back({worker.child.output_descriptor(), POLLIN, 0});
    set.push_back({worker.child.end_descriptor(), POLLIN, 0});
  }
  int64_t left = (deadline - clock.now()).milliseconds();
  constexpr int64_t most = 3'600'000;
  int timeout =
      deadline == Time::never() ? -1 : static_cast<int>(std::clamp<int64_t>(left + 1, 0, most));
  ::poll(set.data(), set.size(), timeout);
  return set[0].revents == 0;
}

// A handler may add workers, so the ended ones are moved out of the list before it is told.
void Workers::serve() {
  std::list<Worker> ended;
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    auto next = std::next(worker);
    worker->child.step();
    if (worker->child.ended()) ended.splice(ended.end(), workers_, worker);
    worker = next;
  }
  for (Worker& worker : ended) worker.on_end(worker.child);
}

Result<> Workers::turn(Client& client, Time deadline, StopDescriptor stop) {
  bool went_on = wait(client.descriptor(), client.wants_write(), client.clock(), deadline, stop);
  serve();
  if (!went_on) return failure(Errc::cancelled);
  if (auto polled = client.poll(); !polled) return std::unexpected(polled.error());
  return {};
}

void Workers::stop_all(const Clock& clock) {
  constexpr Duration patience = std::chrono::seconds(2);
  for (int number : {SIGTERM, SIGKILL}) {
    for (const Worker& worker : workers_) worker.child.signal(number);
    Time deadline = clock.now() + patience;
    while (!workers_.empty() && clock.now() < deadline) {
      wait(-1, false, clock, deadline, {});
      serve();
    }
  }
}

}  // namespace tram::cli
