// One connection to a NATS server: commands out, frames in. It knows the bytes and their
// order, and nothing of subscriptions, requests or reconnecting (client.h).
//
// Nothing is sent until a send function is called. Frames are views into the read buffer:
// they end with the next `receive`.
#pragma once

#include <memory>
#include <vector>

#include "tram/client/buffers.h"
#include "tram/client/parser.h"
#include "tram/client/socket.h"

namespace tram::client {

class Connection {
 public:
  // `shared` (may be null) is a read buffer that many connections of one thread use in
  // turn: then each round of reading goes between `unpark` and `park`.
  Connection(Socket socket, std::shared_ptr<Buffer> shared, ParserLimits limits);

  int descriptor() const { return socket_.descriptor(); }

  // --- out ---
  void write_publish(base::BytesView subject, base::BytesView reply, base::BytesView headers,
                     base::BytesView payload);
  void write_subscribe(base::BytesView subject, base::BytesView group, uint64_t sid);
  // `more` is how many messages may still come; 0 ends it at once.
  void write_unsubscribe(uint64_t sid, uint64_t more);
  void write_line(base::BytesView line);

  size_t unsent() const { return out_.size(); }
  // Sends what the socket takes now. Errors: connection_lost.
  base::Result<> send_some();
  // Waits until fewer than `most` bytes are unsent. What arrives meanwhile is kept aside for
  // the next `receive`, so two sides that write at once do not lock each other up and views
  // stay whole; beyond `aside_bytes_max` it stays in the socket. Errors: connection_lost,
  // timed_out, cancelled.
  base::Result<> send_until(size_t most, const base::Clock& clock, base::Time deadline,
                            StopDescriptor stop);

  // --- in ---
  // Reads once, without waiting. False if nothing was there. Errors: connection_lost.
  base::Result<bool> receive();
  // The next whole frame of what was received; false if there is none.
  // Errors: protocol_error.
  base::Result<bool> next_frame(Frame& frame);
  // False when `next_frame` has nothing to find before more is received.
  bool may_have_frame() const { return !in_->empty() && in_->size() >= needed_; }
  // Takes the shared buffer, and gives it back with the unread tail put away. Both do nothing
  // when the buffer is this connection's own. Views stay whole until another one reads.
  void unpark();
  void park();
  // Waits for bytes, or for room to write if there is something unsent. Errors: cancelled.
  base::Result<Readiness> wait(const base::Clock& clock, base::Time deadline,
                               StopDescriptor stop) const;

  static constexpr size_t aside_bytes_max = 64 * 1024 * 1024;

 private:
  base::Result<> read_aside();

  Socket socket_;
  ParserLimits limits_;
  Buffer out_;
  std::shared_ptr<Buffer> in_;
  bool in_is_shared_;
  size_t needed_ = 0;  // for the frame that is not whole yet
  base::Bytes tail_;   // with a shared buffer: what was not read when it was parked
  base::Bytes aside_;  // received while sending
};

}  // namespace tram::client
