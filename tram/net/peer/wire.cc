#include "tram/net/peer/wire.h"

#include <fmt/core.h>

#include "tram/net/peer/core.h"
#include "tram/net/peer/frame.h"
#include "tram/net/peer/lane.h"

namespace tram::net {

using base::Errc;
using base::Error;

namespace {

constexpr char tls_handshake = 0x16;  // The first byte of whoever dials with TLS.

}  // namespace

Wire::Wire(PeerCore& core, Connection& connection, std::shared_ptr<const Ends> ends, bool dialled)
    : core_(&core),
      connection_(connection),
      ends_(std::move(ends)),
      timer_([this] { on_timer(); }),
      active_at_(core.loop().now()),
      dialled_(dialled),
      secured_(connection.secured()) {
  if (secured_) watch_idle();
}

void Wire::on_secured() {
  secured_ = true;
  active_at_ = core_->loop().now();
  if (std::string name = connection_.certified_name(); !name.empty())
    ends_ = std::make_shared<const Ends>(
        Ends{ends_->from, ends_->to, std::make_unique<const std::string>(std::move(name))});
  watch_idle();
  if (lane_ != nullptr) lane_->on_secured();
}

Session::Progress Wire::on_bytes(BytesView bytes, const SharedBytes* owner) {
  active_at_ = core_->loop().now();
  std::vector<Datagram>& gathered = core_->gathered();
  bool by_callback = core_->has_callback();
  size_t at = 0;
  size_t first = 0;
  size_t needed = 0;
  bool goes_on = true;
  while (goes_on && at < bytes.size()) {
    BytesView rest = bytes.substr(at);
    Frame frame = read_frame(rest, core_->options().message_max);
    if (frame.kind == Frame::Kind::incomplete) break;
    if (frame.kind != Frame::Kind::message) {
      // What came before it is given out first.
      give_out(bytes, first, at, owner);
      if (core_ == nullptr || connection_.ending() || !read_control(frame, rest)) return {at, 0};
      at += frame.header;
      first = at;
      continue;
    }
    if (rest.size() < frame.header + frame.size) {
      needed = frame.header + frame.size;
      break;
    }
    BytesView payload = rest.substr(frame.header, frame.size);
    at += frame.header + frame.size;
    ++came_;
    core_->counters().messages_received.add();
    core_->counters().bytes_received.add(payload.size());
    if (by_callback) {
      core_->call_back({.data = payload, .ends = ends_});
      goes_on = core_ != nullptr && !connection_.ending();
    } else {
      gathered.push_back({.data = payload, .ends = ends_});
    }
  }
  if (core_ == nullptr || connection_.ending()) return {at, 0};
  give_out(bytes, first, at, owner);
  if (counts_ && came_ > counted_) {
    counted_ = came_;
    char count[count_size];
    write_count(count, counted_);
    send(BytesView(count, count_size));
  }
  if (!by_callback && core_->inbox().is_full()) {
    core_->counters().pauses.add();
    connection_.pause();
    core_->paused_wires().push_back(*this);
  }
  watch_unfinished(bytes.size() - at, at > 0);
  return {at, needed};
}

// All messages of one read share one copy of it.
void Wire::give_out(BytesView bytes, size_t begin, size_t end, const SharedBytes* owner) {
  std::vector<Datagram>& gathered = core_->gathered();
  if (gathered.empty()) return;
  SharedBytes copy = owner ? *owner : SharedBytes::copy_of(bytes.substr(begin, end - begin));
  for (Datagram& one : gathered) {
    if (owner == nullptr) {
      auto offset = static_cast<size_t>(one.data.data() - bytes.data()) - begin;
      one.data = copy.view().substr(offset, one.data.size());
    }
    one.owner = copy;
  }
  core_->inbox().push(gathered);
}

bool Wire::read_control(const Frame& frame, BytesView rest) {
  switch (frame.kind) {
    case Frame::Kind::asks:
      if (!counts_ && came_ == 0) {
        counts_ = true;
        return true;
      }
      fault({Errc::protocol_error, "counts are asked for once, before the first message"});
      return false;
    case Frame::Kind::count:
      if (lane_ != nullptr && lane_->on_count(frame.count))
        return core_ != nullptr && !connection_.ending();
      fault({Errc::protocol_error, fmt::format("a count of {} messages, which were not sent or "
                                               "not asked about",
                                               frame.count)});
      return false;
    case Frame::Kind::too_large:
      fault({Errc::message_too_large, fmt::format("a message of {} bytes; the limit is {}",
                                                  frame.size, core_->options().message_max)});
      return false;
    default:
      fault({Errc::protocol_error, fmt::format("no message begins with the byte 0x{:02x}{}",
                                               static_cast<unsigned char>(rest[0]),
                                               rest[0] == tls_handshake && came_ == 0
                                                   ? ", but TLS does, and this peer speaks none"
                                                   : "")});
      return false;
  }
}

void Wire::watch_unfinished(size_t kept, bool moved_on) {
  cut_off_ = kept > 0;
  bool paused = base::Link<PausedWire>::linked();
  if (cut_off_ && !paused) {
    if (moved_on || !awaits_rest_) await_rest();
  } else if (std::exchange(awaits_rest_, false)) {
    core_->loop().timers().stop(timer_);
    watch_idle();
  }
}

void Wire::await_rest() {
  awaits_rest_ = true;
  core_->loop().start(timer_, core_->options().read_max);
}

void Wire::on_timer() {
  if (awaits_rest_)
    fault({Errc::timed_out, "a message was begun and not finished"});
  else
    watch_idle();
}

// Closes it, if nothing came or went for so long; else looks again when that may be.
void Wire::watch_idle() {
  Loop& loop = core_->loop();
  Duration idle_max = core_->options().accepted_idle_max;
  if (dialled_ || idle_max == Duration::forever() || !usable()) return;
  bool busy = cut_off_ || connection_.pending() > 0 || base::Link<PausedWire>::linked();
  if (!busy && loop.now() - active_at_ >= idle_max) return connection_.close();
  loop.timers().start(timer_, (busy ? loop.now() : active_at_) + idle_max);
}

void Wire::resume() {
  connection_.resume();
  if (cut_off_) await_rest();
}

void Wire::report(Error error) {
  core_->show({.ends = ends_, .error = std::make_shared<const Error>(std::move(error))});
}

void Wire::fault(Error error) {
  core_->counters().faults.add();
  cut_off_ = false;
  report(error);
  if (core_ != nullptr) end(std::move(error));
}

void Wire::end(Error why) {
  if (!why_) why_ = std::make_unique<Error>(std::move(why));
  connection_.abort(CloseReason::by_session);
}

bool Wire::on_end() {
  ended_ = true;
  if (cut_off_) {
    core_->counters().faults.add();
    cut_off_ = false;
    report({Errc::connection_lost, "the other side closed in the middle of a message"});
  }
  // What waits is still written, such as counts; but nobody may take it for confirmed.
  if (core_ != nullptr && lane_ != nullptr)
    std::exchange(lane_, nullptr)
        ->on_wire_closed({Errc::connection_lost, ends_->from + ": closed by the other side"});
  return false;
}

void Wire::on_written() {
  active_at_ = core_->loop().now();
  if (lane_ != nullptr) lane_->on_written();
}

// Without saying who it was.
Error Wire::why_closed(CloseReason reason) const {
  switch (reason) {
    case CloseReason::write_stalled:
      return {Errc::timed_out, "takes nothing"};
    case CloseReason::stopping:
      return {Errc::cancelled, "this peer is closed"};
    case CloseReason::tls_failed:
      return {Errc::tls_failed, std::string(connection_.fault())};
    default:
      if (secured_) return {Errc::connection_lost, std::string(name_of(reason))};
      return {Errc::connection_lost, "hung up before TLS was agreed on: does it speak TLS?"};
  }
}

void Wire::on_closed(CloseReason reason) {
  if (core_ == nullptr) return;
  core_->loop().timers().stop(timer_);
  core_->forget(*this);
  Lane* lane = std::exchange(lane_, nullptr);
  PeerCore* core = std::exchange(core_, nullptr);
  Error why = why_closed(reason);
  bool faulty = reason == CloseReason::tls_failed || (cut_off_ && reason == CloseReason::lost);
  if (faulty) core->counters().faults.add();
  // Of one that is only being dialled, its lane tells.
  if (faulty && (secured_ || !dialled_))
    core->show({.ends = ends_, .error = std::make_shared<const Error>(why)});
  if (lane != nullptr) {
    why.detail = fmt::format("{}: {}", ends_->from, why.detail);
    lane->on_wire_closed(why_ ? *why_ : why);
  }
  core->on_wire_gone();
}

}  // namespace tram::net
