// The commands that run at the moment, beside a connection that must stay alive meanwhile.
#pragma once

#include <functional>
#include <list>

#include "tram/cli/child.h"
#include "tram/client/client.h"

namespace tram::cli {

using EndHandler = std::function<void(const Child&)>;

class Workers {
 public:
  void add(Child child, EndHandler on_end);
  size_t running() const { return workers_.size(); }

  // One turn: waits until a command or the connection has something, or the deadline; serves
  // both; tells the handlers of commands that ended. Errors: the client's connection_lost
  // (the commands go on), cancelled.
  base::Result<> turn(client::Client& client, base::Time deadline, client::StopDescriptor stop);

  // Asks all to end, waits a little, then insists. Their handlers are told.
  void stop_all(const base::Clock& clock);

 private:
  struct Worker {
    Child child;
    EndHandler on_end;
  };
  // Waits for commands, and for one more descriptor unless it is -1.
  bool wait(int descriptor, bool or_write, const base::Clock& clock, base::Time deadline,
            client::StopDescriptor stop);
  void serve();

  std::list<Worker> workers_;
};

}  // namespace tram::cli
