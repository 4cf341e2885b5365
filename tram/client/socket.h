// A TCP socket that never blocks by itself: waiting is done in one place, with a deadline
// and with a descriptor that can end the wait.
#pragma once

#include <optional>
#include <utility>

#include "tram/base/bytes.h"
#include "tram/base/clock.h"
#include "tram/base/result.h"
#include "tram/base/time.h"

namespace tram::client {

// Becoming readable (a signal's pipe, say) ends any wait with Errc::cancelled. -1: nothing.
struct StopDescriptor {
  int descriptor = -1;
};

struct Readiness {
  bool readable = false;
  bool writable = false;  // false for both: the deadline passed
};

class Socket {
 public:
  Socket() = default;
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  // Resolves and connects, trying each address the name has. The resolver may block longer
  // than the deadline. Errors: unreachable, timed_out, cancelled.
  static base::Result<Socket> connect(const std::string& host, const std::string& port,
                                      const base::Clock& clock, base::Time deadline,
                                      StopDescriptor stop);

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  void close();
  // Tells the other side that nothing more will be sent.
  void end_sending();

  // How many bytes went; 0 if the socket is full. Errors: connection_lost.
  base::Result<size_t> send(base::BytesView bytes);
  // How many bytes came; nothing if there were none yet. Errors: connection_lost, at the
  // end of the stream too.
  base::Result<std::optional<size_t>> receive(char* bytes, size_t count);
  // Waits until it can be read, or written if `or_write`, or the deadline passes.
  // Errors: cancelled.
  base::Result<Readiness> wait(bool or_write, const base::Clock& clock, base::Time deadline,
                               StopDescriptor stop) const;

 private:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// Waits on `stop` alone, until the deadline. Errors: cancelled.
base::Result<> pause_until(const base::Clock& clock, base::Time deadline, StopDescriptor stop);

}  // namespace tram::client
