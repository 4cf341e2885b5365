#include "tram/net/connection.h"

#include <algorithm>
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

#include "tram/base/assert.h"
#include "tram/net/tls/channel.h"

namespace tram::net {

namespace {

// What one read may bring. Larger reads were no faster (docs/benchmarks.md) and fill the cache.
constexpr size_t read_size = size_t{64} << 10;
// After a message that was larger than that: the next is likely to be, and what is read of it
// before its size is known has to be copied.
constexpr size_t read_size_after_large = size_t{4} << 10;
// Reads of one connection per turn, at most: then the others have theirs.
constexpr int reads_per_turn_max = 4;
constexpr size_t pieces_per_write = 32;
// What an idle connection and its session cost, roughly: many that go at once are worth trimming.
constexpr size_t typical_size = size_t{2} << 10;
// After our last word, how long the peer may take to hang up.
constexpr Duration linger_max = std::chrono::seconds(2);
// When the program stops, nobody waits that long for a client that does not hang up.
constexpr Duration linger_when_stopping = std::chrono::milliseconds(200);

using Then = Moved::Then;

}  // namespace

BytesView name_of(CloseReason reason) {
  switch (reason) {
    case CloseReason::by_peer:
      return "by_peer";
    case CloseReason::by_session:
      return "by_session";
    case CloseReason::lost:
      return "lost";
    case CloseReason::write_stalled:
      return "write_stalled";
    case CloseReason::slow_consumer:
      return "slow_consumer";
    case CloseReason::stopping:
      return "stopping";
    case CloseReason::tls_failed:
      return "tls_failed";
  }
  return "unknown";
}

void Connection::adopt(Loop& loop, int socket, std::string peer_address,
                       const ConnectionLimits& limits, MakeSession make_session) {
  adopt(loop, socket, std::move(peer_address), limits, nullptr, {}, std::move(make_session));
}

void Connection::adopt(Loop& loop, int socket, std::string peer_address,
                       const ConnectionLimits& limits, std::unique_ptr<TlsChannel> tls,
                       Duration handshake_max, MakeSession make_session) {
  bool secure = tls != nullptr;
  auto* connection = new Connection(loop, socket, std::move(peer_address), limits, std::move(tls));
  loop.connections().push_back(*connection);
  if (secure) {
    connection->state_ = State::securing;
    loop.start(connection->deadline_, handshake_max);
  }
  connection->session_ = make_session(*connection);
  if (connection->state_ == State::closed) return;
  if (!loop.sockets().add(socket, *connection))
    connection->abort(CloseReason::lost);
  else if (secure)
    loop.sockets().again(*connection);  // Whoever dialled speaks first.
}

Connection::Connection(Loop& loop, int socket, std::string peer_address,
                       const ConnectionLimits& limits, std::unique_ptr<TlsChannel> tls)
    : loop_(loop),
      outbox_(loop.chunks()),
      limits_(limits),
      stream_(socket, std::move(tls)),
      deadline_([this] { on_deadline(); }),
      peer_address_(std::move(peer_address)) {
  int yes = 1;
  ::ioctl(socket, FIONBIO, &yes);
  // Fails where the socket is not TCP: a test may use a pair.
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

Connection::~Connection() {
  loop_.chunks().count_freed(typical_size);
  loop_.connections().erase(*this);
  loop_.forget(static_cast<TurnEnd&>(*this));
  loop_.forget(static_cast<HeldBack&>(*this));
}

// --- Reading.

void Connection::on_ready(Ready ready) {
  if (state_ == State::closed) return;
  readable_ |= ready.readable;
  ended_ |= ready.ended;
  if (state_ == State::securing) return secure();
  if (ready.writable && waits_writable_) {
    waits_writable_ = false;
    loop_.timers().stop(deadline_);
    loop_.at_turn_end(*this);
  }
  if (readable_) read();
}

void Connection::on_deadline() {
  switch (state_) {
    case State::securing:
      handshake_late_ = true;
      return abort(CloseReason::tls_failed);
    case State::lingering:
      return abort(reason_);
    default:
      return abort(CloseReason::write_stalled);
  }
}

void Connection::secure() {
  switch (stream_.shake_hands()) {
    case Stream::Handshake::goes_on:
      return;
    case Stream::Handshake::failed:
      if (stream_.fault().empty()) return abort(CloseReason::lost);
      reason_ = CloseReason::tls_failed;
      stream_.say_end();
      return linger();  // So that the other side learns why.
    case Stream::Handshake::done:
      break;
  }
  loop_.timers().stop(deadline_);
  state_ = State::open;
  in_session_ = true;
  session_->on_secured();
  in_session_ = false;
  // What it has to say may wait; and what came with the end of the handshake.
  loop_.at_turn_end(*this);
  readable_ = true;
  if (state_ == State::open && pauses_ == 0) read_again();
}

// The kernel tells of a change once, so `readable_` stays until it has said "nothing more".
void Connection::read() {
  if (state_ == State::lingering) return drain();
  if (peer_ended_) return;
  for (int i = 0; i < reads_per_turn_max && state_ == State::open && pauses_ == 0; ++i)
    if (!read_once()) return;
  if (state_ != State::open) return;
  if (pauses_ == 0)
    read_again();
  else
    look_for_end();
}

void Connection::read_again() {
  if (readable_) loop_.sockets().again(*this);
}

// While paused. Not to read, but to hear of a peer that has gone while its answer is prepared. If
// it sent more before, that waits in the kernel until the session resumes.
void Connection::look_for_end() {
  if (!ended_ || peer_ended_ || !tail_.empty()) return;
  Then then = stream_.peek();
  if (then == Then::ended) on_peer_end();
  if (then == Then::lost) abort(CloseReason::lost);
}

// After our last word: what still comes is dropped, until the peer hangs up.
void Connection::drain() {
  Then then = stream_.drain(loop_.read_buffer().data(), read_size);
  if (then == Then::more) return read_again();
  readable_ = false;
  if (then == Then::wait) return;
  enter_closed(stream_.fault().empty() ? reason_ : CloseReason::tls_failed);
}

// True if there may be more to read.
bool Connection::read_once() {
  char* to = nullptr;
  size_t room = 0;
  if (large_) {
    to = large_.mutable_data() + large_filled_;
    room = large_.size() - large_filled_;
  } else {
    std::span<char> buffer = loop_.read_buffer();
    TRAM_ASSERT(tail_.size() + read_size <= buffer.size(), tail_.size());
    std::copy(tail_.begin(), tail_.end(), buffer.begin());
    to = buffer.data() + tail_.size();
    room = std::exchange(after_large_, false) ? read_size_after_large : read_size;
  }
  Moved moved = stream_.read(to, room);
  if (stream_.unsent()) loop_.at_turn_end(*this);
  if (moved.bytes == 0) {
    readable_ = false;
    if (moved.then == Then::ended) {
      on_peer_end();
    } else {
      ended_ = false;
      if (moved.then == Then::lost)
        abort(stream_.fault().empty() ? CloseReason::lost : CloseReason::tls_failed);
    }
    return false;
  }
  // What comes after this is a change, and told anew.
  if (moved.then == Then::wait && !ended_) readable_ = false;
  if (large_) {
    large_filled_ += moved.bytes;
    if (large_filled_ == large_.size()) {
      after_large_ = large_.size() >= read_size;
      SharedBytes whole = std::move(large_);
      large_ = SharedBytes();
      feed(whole.view(), &whole);
    }
  } else {
    size_t kept = tail_.size();
    feed(BytesView(to - kept, kept + moved.bytes), nullptr);
  }
  return readable_ || pauses_ > 0;
}

void Connection::feed(BytesView bytes, const SharedBytes* owner) {
  in_session_ = true;
  Session::Progress progress = session_->on_bytes(bytes, owner);
  in_session_ = false;
  if (state_ != State::open) {
    tail_ = std::string();
    return;
  }
  TRAM_ASSERT(progress.consumed <= bytes.size(), progress.consumed, bytes.size());
  BytesView rest = bytes.substr(progress.consumed);
  if (progress.needed > rest.size() && progress.needed >= share_size_min) {
    // Its pages are touched only as bytes come, so announcing much costs little.
    large_ = SharedBytes::with_size(progress.needed);
    std::copy(rest.begin(), rest.end(), large_.mutable_data());
    large_filled_ = rest.size();
    tail_ = std::string();
  } else {
    tail_ = std::string(rest);  // Not assign: an empty tail gives its memory back.
  }
}

void Connection::resume() {
  TRAM_ASSERT(pauses_ > 0);
  if (--pauses_ > 0 || state_ != State::open) return;
  keep_fed_ = true;
  loop_.at_turn_end(*this);
}

void Connection::hold_back() {
  if (held_back_ || state_ != State::open) return;
  held_back_ = true;
  pause();
  loop_.hold_back(*this);
}

void Connection::on_relief() {
  held_back_ = false;
  resume();
}

void Connection::feed_kept() {
  keep_fed_ = false;
  if (!tail_.empty()) {
    std::string kept = std::move(tail_);
    tail_ = std::string();
    feed(kept, nullptr);
  }
  if (state_ != State::open || pauses_ > 0) return;
  if (peer_ended_)
    on_peer_end();
  else
    read_again();
}

void Connection::on_peer_end() {
  peer_ended_ = true;
  in_session_ = true;
  bool goes_on = session_->on_end();
  in_session_ = false;
  if (!goes_on) close(CloseReason::by_peer);
}

// --- Writing.

void Connection::on_turn_end() {
  if (state_ == State::closed) {
    if (in_session_) {
      loop_.at_turn_end(*this);
      return;
    }
    session_.reset();
    delete this;
    return;
  }
  if (keep_fed_ && pauses_ == 0 && state_ == State::open) feed_kept();
  if (state_ == State::open || state_ == State::flushing) write();
}

void Connection::wait_writable() {
  waits_writable_ = true;
  loop_.start(deadline_, limits_.write_stall_max);
}

bool Connection::make_room() {
  write();
  return state_ == State::open && !outbox_is_full();
}

void Connection::write() {
  if (waits_writable_ || state_ == State::securing) return;
  bool was_behind = outbox_.size() > behind_size_min();
  size_t before = outbox_.size();
  while (!outbox_.empty() || stream_.unsent()) {
    std::array<Outbox::Span, pieces_per_write> spans;
    size_t count = outbox_.gather(spans.data(), spans.size());
    Moved moved = stream_.write(spans.data(), count);
    outbox_.consume(moved.bytes);
    if (moved.then == Then::lost) {
      if (outbox_.size() < before) session_->on_written();
      abort(CloseReason::lost);
      return;
    }
    if (moved.then == Then::wait) {
      wait_writable();
      break;
    }
  }
  if (outbox_.size() < before) {
    session_->on_written();
    if (state_ == State::closed) return;
  }
  if (was_behind && (outbox_.size() <= behind_size_min() ||
                     (outbox_.size() <= behind_size() / 2 && !is_behind())))
    loop_.relieve();
  if (outbox_.empty() && !waits_writable_ && state_ == State::flushing) finish_writing();
}

// --- Ending.

void Connection::close(CloseReason reason) {
  if (state_ == State::securing) return abort(reason);
  if (state_ != State::open) return;
  state_ = State::flushing;
  reason_ = reason;
  loop_.at_turn_end(*this);
}

void Connection::finish_writing() {
  Then said = stream_.say_end();
  if (said == Then::wait) return wait_writable();
  if (peer_ended_ || said == Then::lost) return enter_closed(reason_);
  linger();
}

// Closing at once, with bytes unread, would reset the connection, and the peer might lose our last
// word. So, when we are done, we read until the peer is.
void Connection::linger() {
  state_ = State::lingering;
  loop_.start(deadline_, reason_ == CloseReason::stopping ? linger_when_stopping : linger_max);
  read_again();
}

void Connection::abort(CloseReason reason) {
  if (state_ != State::closed) enter_closed(reason);
}

void Connection::enter_closed(CloseReason reason) {
  state_ = State::closed;
  reason_ = reason;
  bool relieves = outbox_.size() > behind_size_min();
  outbox_.clear();
  loop_.timers().stop(deadline_);
  loop_.sockets().remove(stream_.socket(), *this);
  stream_.close();
  if (session_) session_->on_closed(reason);
  if (relieves) loop_.relieve();
  loop_.at_turn_end(*this);
}

}  // namespace tram::net
