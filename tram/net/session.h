// One side of a conversation in some protocol: what a door makes of a connection.
#pragma once

#include <cstddef>

#include "tram/base/bytes.h"
#include "tram/base/shared_bytes.h"

namespace tram::net {

using base::BytesView;
using base::SharedBytes;

// Why a connection ended, for logs and counters.
enum class CloseReason {
  by_peer,        // It closed, or said goodbye.
  by_session,     // The session closed it: quit, or an error that was told.
  lost,           // Reset, or unreachable.
  write_stalled,  // Nothing could be written for too long.
  slow_consumer,  // Too much waited for it.
  stopping,       // The program ends.
  tls_failed,     // The handshake did, or what came after it was not the other side's.
};
BytesView name_of(CloseReason reason);

// Owned by its connection and destroyed with it, on the connection's loop.
class Session {
 public:
  virtual ~Session() = default;

  struct Progress {
    // How many bytes are done with. The rest is kept, and shown again in front of what comes.
    size_t consumed = 0;
    // How many bytes, from the first one kept, are needed before it makes sense to call again;
    // 0: any. A session that asks for more than it would ever take has a bug.
    size_t needed = 0;
  };
  // The TLS handshake is done: who the other side is can be asked now. Not called without TLS.
  virtual void on_secured() {}

  // Bytes have come. `owner`, if set, holds them, so parts may be kept by reference. After
  // Connection::pause the session should return soon, with the rest not consumed.
  virtual Progress on_bytes(BytesView bytes, const SharedBytes* owner) = 0;

  // The peer will send no more; what was not consumed will never be complete. Returns true to
  // go on writing answers (the session then closes), false to close once the outbox is written.
  virtual bool on_end() { return false; }

  // Bytes of the outbox have just been handed to the kernel. May append more, or end the
  // connection.
  virtual void on_written() {}

  // The program is about to stop: finish what was begun, then close the connection.
  virtual void on_stop() = 0;

  // The connection has ended; the session's destructor comes next.
  virtual void on_closed(CloseReason) {}
};

}  // namespace tram::net
