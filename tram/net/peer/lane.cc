#include "tram/net/peer/lane.h"

#include <algorithm>
#include <utility>

#include "tram/net/peer/core.h"
#include "tram/net/peer/frame.h"
#include "tram/net/peer/wire.h"

namespace tram::net {

using base::Errc;
using base::Error;

namespace {

// While more than this waits in the connection's outbox, what comes stays staged: then it need not
// be told lost if the connection is.
constexpr size_t outbox_enough = size_t{256} << 10;
// A connection that ends sooner, and on which nothing was confirmed, counts as a failed attempt.
constexpr Duration good_life_min = std::chrono::seconds(1);

}  // namespace

Lane::Lane(PeerCore& core, Destination& destination, size_t index)
    : core_(core), destination_(destination), index_(index), timer_([this] { on_timer(); }) {}

Lane::~Lane() {
  if (wire_ != nullptr) wire_->detach();
}

bool Lane::by_count() const { return core_.options().confirm == Confirm::received; }

// --- Getting a connection.

void Lane::on_staged() {
  if (state_ == State::open)
    fill();
  else if (state_ == State::idle && !destination_.queue.empty(index_))
    connect();
}

void Lane::connect() {
  if (Wire* accepted = core_.accepted(destination_.name)) {
    destination_.only_answered = true;
    if (accepted->lane() == nullptr) {
      open(*accepted);
    } else if (accepted->lane() != this) {
      // There is but one connection to a place that dialled us.
      destination_.queue.splice(index_, 0);
      destination_.lanes[0]->on_staged();
    }
    return;
  }
  if (destination_.only_answered) {
    go_idle();
    lose_staged({Errc::connection_lost, destination_.name + ": it dialled us, and has gone"});
    return;
  }
  if (core_.loop().now() < not_before_)
    rest_until(not_before_);
  else
    dial();
}

void Lane::rest_until(Time when) {
  state_ = State::resting;
  core_.loop().timers().start(timer_, when);
}

void Lane::dial() {
  if (!core_.may_dial()) {
    go_idle();
    lose_staged({Errc::limit_reached, "no more connections"});
    return;
  }
  state_ = State::dialling;
  core_.loop().timers().stop(timer_);
  core_.count_dialling(1);
  dialer_ = std::make_unique<Dialer>(
      core_.loop(), destination_.address, core_.options().dial_max,
      [this](base::Result<int> dialled) { on_dialled(std::move(dialled)); });
}

void Lane::on_dialled(base::Result<int> dialled) {
  dialer_.reset();
  core_.count_dialling(-1);
  if (!dialled) return on_dial_failed(dialled.error());
  Wire& wire = core_.adopt_dialled(*dialled, destination_);
  if (wire.connection().ending())
    return on_dial_failed({Errc::io_error, destination_.name + ": no room for another socket"});
  wire_ = &wire;
  wire.attach(*this);
  if (wire.usable()) on_secured();
}

void Lane::on_secured() {
  core_.counters().dialled.add();
  failing_ = false;
  open(*wire_);
}

void Lane::on_dial_failed(const Error& why) {
  core_.counters().dials_failed.add();
  Time now = core_.loop().now();
  not_before_ = now + core_.options().backoff.delay_before(++attempt_, core_.random());
  if (!std::exchange(failing_, true)) failing_since_ = now;
  // Nobody becomes trusted by being asked again.
  bool final = why.code == Errc::tls_failed || core_.closing();
  if (now - failing_since_ < core_.options().unreachable_max && !final) {
    rest_until(not_before_);
    return;
  }
  failing_ = false;
  go_idle();
  lose_staged(why);
}

void Lane::open(Wire& wire) {
  wire_ = &wire;
  wire.attach(*this);
  state_ = State::open;
  messages_ = confirmed_ = 0;
  progress_at_ = open_at_ = core_.loop().now();
  if (by_count()) wire.send(ask_for_counts);
  core_.loop().start(timer_, by_count()
                                 ? std::min(core_.options().idle_max, core_.options().write_max)
                                 : core_.options().idle_max);
  fill();
}

void Lane::go_idle() {
  state_ = State::idle;
  destination_.queue.release(index_);
  // If nobody sends for so long, the address is forgotten, and how often it failed.
  core_.loop().start(timer_, core_.options().idle_max);
}

void Lane::on_timer() {
  Loop& loop = core_.loop();
  if (state_ == State::resting) {
    dial();
    return;
  }
  if (state_ == State::idle) {
    core_.retire(destination_);  // It may be gone with it.
    return;
  }
  if (state_ != State::open) return;
  Time now = loop.now();
  const PeerOptions& options = core_.options();
  bool in_flight = first_ < runs_.size();
  if (in_flight && by_count() && now - progress_at_ >= options.write_max) {
    wire_->end({Errc::timed_out, wire_->ends().from + ": says nothing of what was sent"});
    return;
  }
  Time last = std::max(progress_at_, wire_->active_at());
  bool idle = !in_flight && wire_->connection().pending() == 0;
  if (idle && wire_->dialled() && now - last >= options.idle_max) {
    Wire* wire = std::exchange(wire_, nullptr);
    wire->detach();
    wire->connection().close();
    forget_settled();
    go_idle();
    return;
  }
  Time next = idle ? last + options.idle_max : now + std::min(options.idle_max, options.write_max);
  loop.timers().start(timer_, std::max(next, now + std::chrono::milliseconds(1)));
}

// --- Sending.

void Lane::fill() {
  if (wire_->connection().pending() > outbox_enough) return;
  if (!destination_.queue.take(index_, batch_)) return;
  uint64_t end = wire_->appended();
  for (SendQueue::Piece& piece : batch_.pieces) wire_->send_shared(piece.owner, piece.bytes);
  batch_.pieces.clear();
  if (first_ == runs_.size()) progress_at_ = core_.loop().now();
  for (Run& run : batch_.runs) {
    end += run.bytes;
    run.end = end;
    messages_ += run.messages;
    runs_.push_back(std::move(run));
  }
  batch_.runs.clear();
}

void Lane::on_written() {
  Wire* wire = wire_;
  if (by_count())
    destination_.queue.settle(index_, 0, wire->connection().pending() == 0);
  else
    settle_written();
  // Whoever was told may have ended it.
  if (wire_ == wire && wire_ != nullptr) fill();
}

void Lane::settle_written() {
  uint64_t written = wire_->written();
  bool all_written = wire_->connection().pending() == 0;
  size_t bytes = 0;
  size_t end = first_;
  while (end < runs_.size() && runs_[end].end <= written) bytes += runs_[end++].bytes;
  // Room first: whoever is told of a message may want to send the next one.
  destination_.queue.settle(index_, bytes, all_written);
  progress_at_ = core_.loop().now();
  for (size_t count = end - first_; count > 0 && first_ < runs_.size(); --count) settle_front();
  forget_settled();
}

// Tells the first run in flight that all is well. Returns its bytes.
size_t Lane::settle_front() {
  Run& run = runs_[first_++];
  size_t bytes = run.bytes;
  confirmed_ += run.messages;
  core_.counters().messages_sent.add(run.messages);
  core_.counters().bytes_sent.add(bytes);
  // What is told may send, and so move the runs.
  if (OnSettled told = std::move(run.on_settled)) told({});
  return bytes;
}

void Lane::forget_settled() {
  if (first_ == runs_.size()) {
    runs_.clear();
    first_ = 0;
  } else if (first_ >= 1024 && first_ * 2 >= runs_.size()) {
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  core_.note_settled();
}

bool Lane::on_count(uint64_t count) {
  if (!by_count() || count > messages_ || count < confirmed_) return false;
  uint64_t more = count - confirmed_;
  size_t bytes = 0;
  size_t whole = 0;
  while (first_ + whole < runs_.size() && runs_[first_ + whole].messages <= more) {
    more -= runs_[first_ + whole].messages;
    bytes += runs_[first_ + whole].bytes;
    ++whole;
  }
  destination_.queue.settle(index_, bytes, wire_->connection().pending() == 0);
  progress_at_ = core_.loop().now();
  for (; whole > 0 && first_ < runs_.size(); --whole) settle_front();
  if (more > 0 && first_ < runs_.size() && runs_[first_].messages > more) {
    // A part of a run; its bytes count when the rest comes.
    runs_[first_].messages -= more;
    confirmed_ += more;
    core_.counters().messages_sent.add(more);
  }
  forget_settled();
  return true;
}

// --- Losing.

void Lane::lose(std::vector<Run>& runs, size_t first, const Error& why) {
  size_t bytes = 0;
  uint64_t messages = 0;
  uint64_t untold = 0;
  for (size_t i = first; i < runs.size(); ++i) {
    bytes += runs[i].bytes;
    messages += runs[i].messages;
    if (!runs[i].on_settled) untold += runs[i].messages;
  }
  core_.counters().messages_lost.add(messages);
  destination_.queue.settle(index_, bytes, false);
  for (size_t i = first; i < runs.size(); ++i)
    if (runs[i].on_settled) runs[i].on_settled(std::unexpected(why));
  if (untold > 0) core_.tell_loss(destination_.name, untold, why);
  runs.clear();
  core_.note_settled();
}

void Lane::lose_staged(const Error& why) {
  SendQueue::Batch staged;
  if (destination_.queue.take(index_, staged)) lose(staged.runs, 0, why);
}

void Lane::lose_flight(const Error& why) {
  std::vector<Run> runs = std::exchange(runs_, {});
  size_t first = std::exchange(first_, 0);
  if (first < runs.size()) lose(runs, first, why);
}

void Lane::on_wire_closed(const Error& why) {
  wire_ = nullptr;
  if (state_ == State::dialling) return on_dial_failed(why);
  Time now = core_.loop().now();
  if (confirmed_ > 0 || now - open_at_ >= good_life_min) {
    attempt_ = 0;
  } else {
    not_before_ = now + core_.options().backoff.delay_before(++attempt_, core_.random());
  }
  go_idle();
  lose_flight(why);
  if (state_ == State::idle && !core_.closed()) on_staged();
}

void Lane::give_up(const Error& why) {
  if (dialer_) {
    dialer_.reset();
    core_.count_dialling(-1);
  }
  if (wire_ != nullptr) std::exchange(wire_, nullptr)->detach();
  go_idle();
  lose_flight(why);
  lose_staged(why);
}

}  // namespace tram::net
