// A connection of one loop: reads for its session, writes what the session says.
//
// Reading: is told that there is something, then reads into the loop's buffer. Only an
// unfinished tail stays with the connection, so an idle one costs about half a kilobyte. A
// message larger than the buffer is read straight into one shared piece of its own.
//
// TLS: a connection may begin with a handshake; what is read and written here is then what is
// inside (stream.h).
//
// Writing: whatever is appended goes out at the end of the turn, in as few writes as it takes.
//
// Ending: `close` writes what waits and then closes; a connection destroys itself, and its
// session, at the end of the turn in which it ended.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "tram/base/intrusive_list.h"
#include "tram/net/chunk_pool.h"
#include "tram/net/loop.h"
#include "tram/net/outbox.h"
#include "tram/net/readiness.h"
#include "tram/net/session.h"
#include "tram/net/stream.h"

namespace tram::net {

struct ConnectionLimits {
  // Bytes waiting to be written. Beyond it `outbox_is_full` is true, and what happens is the
  // session's choice.
  size_t pending_max = size_t{64} << 20;
  // With bytes waiting and none written for this long, the connection is closed.
  Duration write_stall_max = std::chrono::seconds(10);
};

class Connection final : public TurnEnd, public HeldBack, public Watched, public base::Link<> {
 public:
  using MakeSession = std::move_only_function<std::unique_ptr<Session>(Connection&)>;
  // Takes over an accepted or connected socket, and starts to read. `make_session` is called
  // once, with the new connection. Call it on the loop.
  static void adopt(Loop& loop, int socket, std::string peer_address,
                    const ConnectionLimits& limits, MakeSession make_session);
  // The same through TLS: nothing is read for the session, and nothing that it sends is written,
  // before the handshake is done, which its `on_secured` is told. If that fails, or takes longer
  // than `handshake_max`, the connection ends with CloseReason::tls_failed, and `fault` says why.
  static void adopt(Loop& loop, int socket, std::string peer_address,
                    const ConnectionLimits& limits, std::unique_ptr<TlsChannel> tls,
                    Duration handshake_max, MakeSession make_session);

  Loop& loop() { return loop_; }
  Session& session() { return *session_; }
  const std::string& peer_address() const { return peer_address_; }  // "127.0.0.1:40000"
  // The TLS handshake is done, or there is none to do.
  bool secured() const { return state_ != State::securing; }
  // What went wrong with TLS, for people, or "".
  BytesView fault() const {
    return handshake_late_ ? BytesView("the TLS handshake took too long") : stream_.fault();
  }
  // Whom the other side's certificate names (Stream::certified_name).
  std::string certified_name() const { return stream_.certified_name(); }

  // --- Writing.
  void send(BytesView bytes) { outbox().append(bytes); }
  // For appending; what is there is written at the end of the turn.
  Outbox& outbox() {
    loop_.at_turn_end(*this);
    return outbox_;
  }
  size_t pending() const { return outbox_.size(); }
  bool outbox_is_full() const { return outbox_.size() > limits_.pending_max; }
  // Writes now what the kernel will take, instead of at the end of the turn. False if the outbox
  // is still full: then it is the reader that is slow, and not the turn that was long.
  bool make_room();
  // So much waits that publishers should wait for this reader, if it is their only one: more
  // than `behind_size`, or, when much waits on the loop as a whole, more than one write's worth.
  // The second keeps a message for thousands of readers from filling memory, and the cache.
  bool is_behind() const {
    return outbox_.size() > behind_size_min() &&
           (outbox_.size() > behind_size() || loop_.chunks().waiting() > backlog_size);
  }
  // Nothing more can be sent: it is closing or closed.
  bool ending() const { return state_ != State::open && state_ != State::securing; }

  // --- Reading.
  // Nothing is handed to the session until `resume`. Nests: as many resumes as pauses.
  void pause() { ++pauses_; }
  void resume();
  // Pauses until the loop is relieved, or a short time has passed.
  void hold_back();

  // --- Ending.
  // Writes what waits, then closes. Reads no more.
  void close(CloseReason reason = CloseReason::by_session);
  // Closes now; what waits is lost. Allowed anywhere, also inside the session's own calls.
  void abort(CloseReason reason);
  ~Connection();

 private:
  // With a small `pending_max`, well below it: publishers must wait before a reader is given up.
  size_t behind_size() const { return std::min(Outbox::counted_max, limits_.pending_max / 4); }
  size_t behind_size_min() const { return std::min(size_t{64} << 10, limits_.pending_max / 16); }
  static constexpr size_t backlog_size = size_t{16} << 20;

  //  securing ──► open ──► flushing ──► lingering ──► closed    (and from each straight to closed)
  enum class State { securing, open, flushing, lingering, closed };

  Connection(Loop& loop, int socket, std::string peer_address, const ConnectionLimits& limits,
             std::unique_ptr<TlsChannel> tls);
  void on_turn_end() override;
  void on_relief() override;
  void on_ready(Ready ready) override;
  void secure();
  void on_deadline();
  void read();
  void read_again();
  bool read_once();
  void drain();
  void look_for_end();
  void feed(BytesView bytes, const SharedBytes* owner);
  void feed_kept();
  void on_peer_end();
  void wait_writable();
  void write();
  void finish_writing();
  void linger();
  void enter_closed(CloseReason reason);

  Loop& loop_;
  Outbox outbox_;
  std::unique_ptr<Session> session_;
  std::string tail_;   // Bytes the session has not consumed.
  SharedBytes large_;  // Or these, when it asked for many.
  size_t large_filled_ = 0;
  bool after_large_ = false;  // The last message did not fit in one read.
  ConnectionLimits limits_;
  uint32_t pauses_ = 0;
  Stream stream_;
  Timer deadline_;  // For the handshake; then, while bytes wait, for a write; then for the peer.
  State state_ = State::open;
  CloseReason reason_ = CloseReason::by_peer;
  bool readable_ = false;  // There may be something to read: the kernel will not say so again.
  bool ended_ = false;     // And behind it the peer's end, an error, or an urgent mark.
  bool waits_writable_ = false;
  bool held_back_ = false;
  bool handshake_late_ = false;
  bool in_session_ = false;
  bool peer_ended_ = false;
  bool keep_fed_ = false;  // There are kept bytes to show the session again.
  std::string peer_address_;
};

}  // namespace tram::net
