// The signals that ask the program to stop, as something to wait for.
#pragma once

#include <optional>
#include <signal.h>

#include "tram/base/time.h"

namespace tram::server {

class Signals {
 public:
  // From now on SIGINT, SIGTERM and SIGHUP wait to be asked for, in this thread and those it
  // starts: make it before any other thread. SIGHUP is left alone if it was ignored (nohup).
  // A write to a closed connection is an error and no signal.
  Signals();

  // The next signal; nullopt if none came for `patience`.
  std::optional<int> wait(base::Duration patience = base::Duration::forever());

 private:
  sigset_t stop_;
};

}  // namespace tram::server
