// One connection between peers, dialled or accepted: reads messages for its core, and carries what
// a lane has to send. What it does on each event:
//
//   bytes       whole messages go to the callback or the inbox, in order; then, if the other side
//               asked for counts, it is told how many came
//   garbage     an error datagram, and this connection is closed
//   secured     with TLS, before anything else: its lane may begin
//   full inbox  nothing is read until there is room
//   the end     an error datagram if a message was cut off, or TLS failed; the lane is told
//   idle        one that was accepted is closed, if there is a limit
//
// Belongs to its connection, and to the loop.
#pragma once

#include <memory>

#include "tram/base/intrusive_list.h"
#include "tram/net/connection.h"
#include "tram/net/peer/datagram.h"
#include "tram/net/session.h"

namespace tram::net {

class Lane;
class PeerCore;
struct OpenWire;
struct PausedWire;

class Wire final : public Session, public base::Link<OpenWire>, public base::Link<PausedWire> {
 public:
  Wire(PeerCore& core, Connection& connection, std::shared_ptr<const Ends> ends, bool dialled);

  Connection& connection() { return connection_; }
  const Ends& ends() const { return *ends_; }
  bool dialled() const { return dialled_; }
  // When something last came or went.
  Time active_at() const { return active_at_; }

  // False before TLS is done, and once the other side has ended it, or we have.
  bool usable() const { return secured_ && !ended_ && !connection_.ending(); }

  Lane* lane() const { return lane_; }
  void attach(Lane& lane) { lane_ = &lane; }
  void detach() { lane_ = nullptr; }

  // For writing. What is there goes out at the end of the turn.
  void send(BytesView bytes) {
    connection_.send(bytes);
    appended_ += bytes.size();
  }
  void send_shared(const SharedBytes& owner, BytesView bytes) {
    connection_.outbox().append_shared(owner, bytes);
    appended_ += bytes.size();
  }
  // Bytes given to it, and of these, bytes that the kernel has.
  uint64_t appended() const { return appended_; }
  uint64_t written() const { return appended_ - connection_.pending(); }

  // There is room in the inbox again.
  void resume();
  // Ends it now; `why` is what its lane is told.
  void end(base::Error why);

  void on_secured() override;
  Progress on_bytes(BytesView bytes, const SharedBytes* owner) override;
  bool on_end() override;
  void on_written() override;
  void on_stop() override {}
  void on_closed(CloseReason reason) override;

 private:
  // False once the connection is to be read no further.
  bool read_control(const struct Frame& frame, BytesView rest);
  void give_out(BytesView bytes, size_t begin, size_t end, const SharedBytes* owner);
  void report(base::Error error);
  base::Error why_closed(CloseReason reason) const;
  void fault(base::Error error);
  void watch_unfinished(size_t kept, bool moved_on);
  void await_rest();
  void watch_idle();
  void on_timer();

  PeerCore* core_;
  Connection& connection_;
  std::shared_ptr<const Ends> ends_;
  Lane* lane_ = nullptr;
  std::unique_ptr<base::Error> why_;  // Why we ended it, if we did.
  Timer timer_;  // For the rest of a message that has begun to come, or for idleness.
  Time active_at_;
  uint64_t appended_ = 0;
  uint64_t came_ = 0;     // Messages.
  uint64_t counted_ = 0;  // Of them, those that the other side was told of.
  bool counts_ = false;   // It wants to be told.
  bool dialled_;
  bool secured_;
  bool ended_ = false;    // By the other side.
  bool cut_off_ = false;  // A message has begun, and not ended.
  bool awaits_rest_ = false;
};

}  // namespace tram::net
