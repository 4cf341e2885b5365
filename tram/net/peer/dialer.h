// Connects to one address: finds what a name stands for, and tries each of it, within a time.
#pragma once

#include <functional>
#include <memory>

#include "tram/base/result.h"
#include "tram/net/loop.h"
#include "tram/net/socket_address.h"

namespace tram::net {

class Dialer {
 public:
  // Given the connected socket, which is then the callee's. Errors: unreachable, timed_out.
  using OnDialled = std::move_only_function<void(base::Result<int>)>;

  // Begins at once; `on_dialled` is called later, from the loop.
  Dialer(Loop& loop, const SocketAddress& address, Duration dial_max, OnDialled on_dialled);
  // Gives up, and tells nobody.
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

 private:
  struct Io;
  std::shared_ptr<Io> io_;
};

}  // namespace tram::net
