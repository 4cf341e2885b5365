// Which sockets of a loop have something to say: an epoll set of our own, told of each socket once.
//
// Asio's `async_wait` is an `epoll_ctl` each time, which a small request paid besides its `recv`
// and `send`. Here a socket is registered when it comes and forgotten when it goes, edge-triggered
// for both directions: it is reported when something *changes*, and whoever stopped before the
// kernel said "nothing more" has to remember that, and ask to be called `again`.
//
// The set itself is a descriptor that is readable while it has something to report: that is what
// the loop waits for, through Asio. Belongs to one loop.
#pragma once

#include <cstddef>

#include "tram/base/intrusive_list.h"

namespace tram::net {

// What a socket was reported for.
struct Ready {
  bool readable = false;
  bool writable = false;
  // The peer will send no more, or there is an error or an urgent mark: something may follow the
  // bytes that are there, so a short read is not the last one.
  bool ended = false;
};

// Owner of a watched socket.
class Watched : public base::Link<Watched> {
 public:
  // May call anything of the set. The object must outlive the call of `ReadySet::handle`.
  virtual void on_ready(Ready ready) = 0;

 protected:
  ~Watched() = default;
};

class ReadySet {
 public:
  ReadySet();  // Throws std::system_error if the system has no descriptor left.
  ~ReadySet();
  ReadySet(const ReadySet&) = delete;
  ReadySet& operator=(const ReadySet&) = delete;

  // Readable while there is something to report.
  int descriptor() const { return descriptor_; }

  // False if the kernel refuses. What is ready already is reported by the next `handle`.
  [[nodiscard]] bool add(int socket, Watched& watched);
  // Before the socket is closed. What has been fetched for it may still be told, in the same
  // `handle`.
  void remove(int socket, Watched& watched);

  // Tells `watched` in the next `handle` that it is readable, whether or not anything changes.
  void again(Watched& watched) {
    if (!watched.linked()) again_.push_back(watched);
  }
  bool has_again() const { return !again_.empty(); }

  // Tells whoever is ready, each at most twice, up to `handled_max` of those that the kernel names;
  // it does not wait. Returns how many were told. The kernel names others first next time.
  size_t handle();
  static constexpr int handled_max = 128;

 private:
  int descriptor_;
  base::IntrusiveList<Watched, Watched> again_;
};

}  // namespace tram::net
