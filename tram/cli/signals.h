// Ctrl-C, SIGTERM and a closed standard output, as one descriptor that ends every wait.
#pragma once

#include "tram/client/socket.h"

namespace tram::cli {

// While one lives, the first SIGINT or SIGTERM makes `stop()` readable instead of ending
// the program; the second one ends it as usual. One at a time per program.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  client::StopDescriptor stop() const { return {epoll_}; }
  bool stopped() const;
  // The reader of our standard output, if it is a pipe, has gone.
  static bool output_closed();

 private:
  int epoll_ = -1;
};

}  // namespace tram::cli
