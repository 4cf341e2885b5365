#include "tram/net/peer/inbox.h"

#include "tram/net/peer/wait_at_most.h"

namespace tram::net {

namespace {

base::Error closed_error() { return {base::Errc::cancelled, "this peer is closed"}; }

}  // namespace

void Inbox::push(std::vector<Datagram>& datagrams) {
  std::unique_lock lock(mutex_);
  for (Datagram& one : datagrams) {
    bytes_ += cost_of(one);
    in_.push_back(std::move(one));
  }
  datagrams.clear();
  bool wakes = sleepers_ > 0;
  if (!waiting_.empty()) serve(lock);
  lock.unlock();
  // Whoever is woken finds the lock free.
  if (wakes) came_.notify_all();
}

bool Inbox::is_full() {
  std::lock_guard lock(mutex_);
  if (bytes_ <= bytes_max_ || closed_) return false;
  room_wanted_ = true;
  return true;
}

void Inbox::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  came_.notify_all();
  serve(lock);
}

bool Inbox::wait(std::unique_lock<std::mutex>& lock, base::Duration wait_max) {
  // While one is offered to a callback nobody may overtake it.
  auto ready = [&] { return !serving_ && (closed_ || !empty()); };
  if (ready()) return true;
  ++sleepers_;
  bool came = wait_at_most(came_, lock, wait_max, ready);
  --sleepers_;
  return came;
}

Datagram Inbox::take_one() {
  if (next_ == out_.size()) {
    out_.clear();
    next_ = 0;
    std::swap(in_, out_);
  }
  Datagram one = std::move(out_[next_++]);
  bytes_ -= cost_of(one);
  return one;
}

bool Inbox::makes_room() {
  if (!room_wanted_ || bytes_ > bytes_max_ / 2) return false;
  room_wanted_ = false;
  return true;
}

base::Result<Datagram> Inbox::take(base::Duration wait_max) {
  std::unique_lock lock(mutex_);
  if (!wait(lock, wait_max)) return base::failure(base::Errc::timed_out);
  if (empty()) return std::unexpected(closed_error());
  Datagram one = take_one();
  bool room = makes_room();
  lock.unlock();
  if (room) on_room_();
  return one;
}

base::Result<> Inbox::take_all(std::vector<Datagram>& into, base::Duration wait_max) {
  into.clear();
  std::unique_lock lock(mutex_);
  if (!wait(lock, wait_max)) return base::failure(base::Errc::timed_out);
  if (empty()) return std::unexpected(closed_error());
  if (next_ == out_.size()) {
    out_.clear();
    next_ = 0;
    std::swap(in_, into);
    for (const Datagram& one : into) bytes_ -= cost_of(one);
  } else {
    while (!empty()) into.push_back(take_one());
  }
  bool room = makes_room();
  lock.unlock();
  if (room) on_room_();
  return {};
}

void Inbox::take_then(OnReceived on_received) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(std::move(on_received));
  serve(lock);
}

// Called with the lock held; gives it up around each call, and has it again at the end.
void Inbox::serve(std::unique_lock<std::mutex>& lock) {
  if (serving_) return;  // Whoever does it already goes on until nothing is left.
  serving_ = true;
  while (!waiting_.empty() && (closed_ || !empty())) {
    OnReceived one = std::move(waiting_.front());
    waiting_.pop_front();
    base::Result<Datagram> given = std::unexpected(closed_error());
    if (!empty()) given = take_one();
    Datagram again = given ? *given : Datagram();
    bool room = makes_room();
    lock.unlock();
    if (room) on_room_();
    bool taken = one(std::move(given));
    one = nullptr;
    lock.lock();
    if (!taken && again.ends) {
      // Back to the front: what is taken first is in out_.
      bytes_ += cost_of(again);
      if (next_ > 0)
        out_[--next_] = std::move(again);
      else
        out_.insert(out_.begin(), std::move(again));
    }
  }
  serving_ = false;
  if (sleepers_ > 0) came_.notify_all();
}

}  // namespace tram::net
