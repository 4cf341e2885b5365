// A queue between threads, workers and units: first in, first out, of a known size, that can be
// closed.
//
//   Channel<Order> orders(runtime, {.capacity = 64});
//   orders.push(order);                              // waits for room
//   while (auto order = orders.pop()) use(*order);   // until it is closed and empty
//
//   open ──close()──► closed: takes nothing more, gives what it holds, then Errc::closed
//     └────stop(e)──► stopped: what it holds is dropped, and everybody gets e, at once
// Both are states, not the end of the object: whoever comes later, or waits already, is told so.
//
// Who waits is served in the order of coming, whether thread or unit. A worker that waits gives its
// place to another thread meanwhile; a unit that waits holds no thread at all.
//
// Costs. One lock for each end: who pushes and who pops do not meet as long as there is room and
// something to be had. Only waiting, closing, and whatever finds somebody waiting takes both. Who
// would have to wait looks again for a few microseconds, and gives way a few times, before it
// sleeps, where there is more than one processor: to be woken takes twenty. Nobody spins longer.
//
// Threads: any, for everything. When it is destroyed no thread may be in one of its methods; units
// that still wait end with Errc::closed.
#pragma once

#include <span>
#include <vector>

#include "tram/work/queues/line.h"
#include "tram/work/queues/moment.h"
#include "tram/work/queues/two_ended_ring.h"
#include "tram/work/runtime.h"
#include "tram/work/scope.h"

namespace tram::work {

template <class T>
class Channel {
 public:
  struct Options {
    // What it holds. 0: it holds nothing, a value goes from hand to hand, when both are there.
    size_t capacity = 0;
  };
  Channel(Runtime& runtime, Options options)
      : scheduler_(runtime.scheduler()), capacity_(options.capacity) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() {
    close();
    // A unit that was cancelled left its place in the line behind.
    ToWake to_wake;
    to_wake.refuse_all(senders_, Errc::closed);
    to_wake.refuse_all(receivers_, Errc::closed);
  }

  // Waits for room, and is moved from only on success. Errors: closed; timed_out and cancelled, by
  // `patience`; what it was stopped with; deadlock, where no thread is left that could make room.
  Result<void> push(T&& value, const Patience& patience = {}) {
    if (put_quickly(value) || (wait_a_moment_for([&] { return has_room(); }) && put_quickly(value)))
      return {};
    ToWake to_wake;
    std::unique_lock lock(both_ends_);
    if (ended_) return std::unexpected(*ended_);
    if (put(value, to_wake)) return {};
    Sender sender(scheduler_, value);
    if (std::optional<Error> refused = sender.wait(lock, senders_, patience))
      return std::unexpected(std::move(*refused));
    return {};
  }
  Result<void> push(const T& value, const Patience& patience = {})
    requires std::copy_constructible<T>
  {
    T copy(value);
    return push(std::move(copy), patience);
  }
  // Never waits: Errc::overloaded if there is no room, or, of a capacity of 0, nobody waits for it.
  Result<void> try_push(T&& value) {
    if (put_quickly(value)) return {};
    ToWake to_wake;
    std::lock_guard lock(both_ends_);
    if (ended_) return std::unexpected(*ended_);
    if (put(value, to_wake)) return {};
    return failure(Errc::overloaded);
  }
  Result<void> try_push(const T& value)
    requires std::copy_constructible<T>
  {
    T copy(value);
    return try_push(std::move(copy));
  }
  // All of them, under one lock for as many as there is room for. How many it took; fewer than all
  // only if it was closed, stopped, or patience ended: then the next push says why.
  size_t push_many(std::span<T> values, const Patience& patience = {}) {
    size_t done = 0;
    while (done < values.size()) {
      done += put_some_quickly(values.subspan(done));
      if (done == values.size()) break;
      ToWake to_wake;
      std::unique_lock lock(both_ends_);
      if (ended_) break;
      while (done < values.size() && put(values[done], to_wake)) ++done;
      if (done == values.size()) break;
      // Those who were given something must hear of it before this thread sleeps.
      lock.unlock();
      to_wake.now();
      if (!push(std::move(values[done]), patience)) break;
      ++done;
    }
    return done;
  }

  // Waits for a value. Errors: closed, once nothing is left; and as for push().
  Result<T> pop(const Patience& patience = {}) {
    if (std::optional<T> value = take_quickly()) return std::move(*value);
    if (wait_a_moment_for([&] { return !is_empty(); }))
      if (std::optional<T> value = take_quickly()) return std::move(*value);
    ToWake to_wake;
    std::unique_lock lock(both_ends_);
    if (std::optional<T> value = take(to_wake)) return std::move(*value);
    if (ended_) return std::unexpected(*ended_);
    ThreadReceiver receiver(scheduler_);
    if (std::optional<Error> refused = receiver.wait(lock, receivers_, patience))
      return std::unexpected(std::move(*refused));
    return std::move(*receiver.value);
  }
  // Never waits: no value if there is nothing to be had now.
  Result<std::optional<T>> try_pop() {
    if (is_empty()) return std::optional<T>();
    if (std::optional<T> value = take_quickly()) return value;
    ToWake to_wake;
    std::lock_guard lock(both_ends_);
    std::optional<T> value = take(to_wake);
    if (!value && ended_) return std::unexpected(*ended_);
    return value;
  }
  // Waits for one, and takes as many more as are there, up to `most` in all.
  Result<std::vector<T>> pop_many(size_t most, const Patience& patience = {}) {
    std::vector<T> values;
    take_what_is_there(values, most);
    if (!values.empty() || most == 0) return values;
    Result<T> first = pop(patience);
    if (!first) return std::unexpected(first.error());
    values.push_back(std::move(*first));
    take_what_is_there(values, most);
    return values;
  }

  // The same for units: no thread waits. The unit ends with the error that push() or pop() would
  // return, and is cancelled with its scope; then nothing is taken, and nothing lost.
  Unit<void> send(const Spawner& in, T value) {
    auto [unit, promise] = in.template external<void>("send");
    auto* sender = new UnitSender(std::move(value), std::move(promise));
    ToWake to_wake;
    std::lock_guard lock(both_ends_);
    join(senders_, *sender, senders_swept_, to_wake);
    if (ended_)
      to_wake.refuse_all(senders_, *ended_);
    else
      settle(to_wake);
    return std::move(unit);
  }
  Unit<T> receive(const Spawner& in) {
    auto [unit, promise] = in.template external<T>("receive");
    auto* receiver = new UnitReceiver(std::move(promise));
    ToWake to_wake;
    std::lock_guard lock(both_ends_);
    join(receivers_, *receiver, receivers_swept_, to_wake);
    settle(to_wake);
    if (ended_) to_wake.refuse_all(receivers_, *ended_);
    return std::move(unit);
  }

  // Takes nothing more; what it holds can still be had. Senders that wait are told.
  void close() {
    ToWake to_wake;
    std::lock_guard lock(both_ends_);
    if (ended_) return;
    ended_ = Error(Errc::closed);
    to_wake.refuse_all(senders_, *ended_);
    // Whoever waits to receive waits because nothing was left.
    to_wake.refuse_all(receivers_, *ended_);
  }
  // At once, also if it is closed: drops what it holds and tells everybody. The first stop counts.
  void stop(Error why = Errc::cancelled) {
    TwoEndedRing<T> dropped;
    ToWake to_wake;
    std::lock_guard lock(both_ends_);
    if (stopped_) return;
    stopped_ = true;
    ended_ = std::move(why);
    dropped.swap(ring_);
    to_wake.refuse_all(senders_, *ended_);
    to_wake.refuse_all(receivers_, *ended_);
  }

  size_t size() const {
    std::lock_guard lock(both_ends_);
    return ring_.size();
  }
  size_t capacity() const { return capacity_; }

 private:
  // A sender gives its value, a receiver takes one, under the lock; false if it has gone.
  struct Sender : ThreadWaiting {
    Sender(Scheduler& scheduler, T& what) : ThreadWaiting(scheduler), value(&what) {}
    T* value;
  };
  struct ThreadReceiver : ThreadWaiting {
    using ThreadWaiting::ThreadWaiting;
    std::optional<T> value;
  };
  struct UnitSender : Waiting {
    UnitSender(T what, Promise<void> whose)
        : Waiting(&woken), value(std::move(what)), promise(std::move(whose)) {}
    static void woken(Waiting& waiting) {
      auto* self = static_cast<UnitSender*>(&waiting);
      if (self->refused) self->promise.set_error(std::move(*self->refused));
      delete self;
    }
    T value;
    Promise<void> promise;
  };
  struct UnitReceiver : Waiting {
    explicit UnitReceiver(Promise<T> whose) : Waiting(&woken), promise(std::move(whose)) {}
    static void woken(Waiting& waiting) {
      auto* self = static_cast<UnitReceiver*>(&waiting);
      if (self->refused) self->promise.set_error(std::move(*self->refused));
      delete self;
    }
    Promise<T> promise;
  };

  static bool is_thread(const Waiting& waiting) {
    return waiting.wake != &UnitSender::woken && waiting.wake != &UnitReceiver::woken;
  }
  static bool cancelled(Waiting& waiting) {
    if (waiting.wake == &UnitSender::woken) return static_cast<UnitSender&>(waiting).promise.over();
    if (waiting.wake == &UnitReceiver::woken)
      return static_cast<UnitReceiver&>(waiting).promise.over();
    return false;
  }
  // Units that were cancelled leave their places behind. Whenever the line has doubled it is swept,
  // so they do not pile up, and joining it costs the same however long it is.
  void join(Line& line, Waiting& waiting, size_t& swept_size, ToWake& to_wake) {
    line.push_back(waiting);
    if (line.size() < 2 * swept_size) return;
    for (Waiting* each = line.first(); each != nullptr;) {
      Waiting* next = line.next(*each);
      if (cancelled(*each)) to_wake.serve(line, *each);
      each = next;
    }
    swept_size = std::max(swept_size_min, line.size());
  }

  // -- Without both ends: what works as long as nobody waits for it.
  size_t put_some_quickly(std::span<T> values) {
    std::lock_guard lock(back_);
    return ended_ || !receivers_.empty() ? 0 : ring_.push_some(values, capacity_);
  }
  bool put_quickly(T& value) { return put_some_quickly(std::span<T>(&value, 1)) == 1; }
  std::optional<T> take_quickly() {
    std::lock_guard lock(front_);
    return senders_.empty() ? ring_.pop() : std::optional<T>();
  }
  void take_what_is_there(std::vector<T>& values, size_t most) {
    {
      std::lock_guard lock(front_);
      if (senders_.empty()) return ring_.pop_some(values, most);
    }
    ToWake to_wake;
    std::lock_guard lock(both_ends_);
    take_many(values, most, to_wake);
  }
  // No lock at all. There was nothing in it, nobody who waited to send, and it was not ended, all
  // at one moment of this call: nothing was put in between the first look and the last.
  bool is_empty() const {
    const size_t place = ring_.front_place();
    return ring_.ends_at(place) && plain_.load(std::memory_order_acquire) && ring_.ends_at(place);
  }
  // From hand to hand both sides must come to the line to meet: whoever only looks is not there.
  template <class There>
  bool wait_a_moment_for(There&& there) const {
    return capacity_ > 0 && wait_a_moment(there);
  }
  // Worth a try.
  bool has_room() const {
    return !ring_.looks_full(capacity_) || !plain_.load(std::memory_order_acquire);
  }

  // -- Under both locks.
  // To the first who waits for one; false if nobody does.
  bool give(T& value, ToWake& to_wake) {
    while (!receivers_.empty()) {
      Waiting& first = receivers_.front();
      bool taken = true;
      // Only what is taken is moved from. NOLINTBEGIN(bugprone-use-after-move)
      if (is_thread(first))
        static_cast<ThreadReceiver&>(first).value.emplace(std::move(value));
      else
        taken = static_cast<UnitReceiver&>(first).promise.set_value(std::move(value));
      // NOLINTEND(bugprone-use-after-move)
      to_wake.serve(receivers_, first);
      if (taken) return true;
    }
    return false;
  }
  bool put(T& value, ToWake& to_wake) {
    if (ring_.empty() && give(value, to_wake)) return true;
    if (ring_.size() >= capacity_) return false;
    // Not moved from by a give() that gave nothing.
    ring_.push_back(std::move(value));  // NOLINT(clang-analyzer-cplusplus.Move)
    return true;
  }
  // The value of the first sender that is still there.
  std::optional<T> take_from_sender(ToWake& to_wake) {
    std::optional<T> value;
    while (!value && !senders_.empty()) {
      Waiting& first = senders_.front();
      if (is_thread(first))
        value.emplace(std::move(*static_cast<Sender&>(first).value));
      else if (auto& sender = static_cast<UnitSender&>(first); sender.promise.set_value())
        value.emplace(std::move(sender.value));
      to_wake.serve(senders_, first);
    }
    return value;
  }
  std::optional<T> take(ToWake& to_wake) {
    if (ring_.empty()) return take_from_sender(to_wake);
    std::optional<T> value = ring_.pop();
    refill(to_wake);
    return value;
  }
  void take_many(std::vector<T>& values, size_t most, ToWake& to_wake) {
    while (values.size() < most) {
      std::optional<T> value = take(to_wake);
      if (!value) break;
      values.push_back(std::move(*value));
    }
  }
  void refill(ToWake& to_wake) {
    while (ring_.size() < capacity_) {
      std::optional<T> value = take_from_sender(to_wake);
      if (!value) return;
      ring_.push_back(std::move(*value));
    }
  }
  // After somebody has joined a line: whoever can be served now is.
  void settle(ToWake& to_wake) {
    refill(to_wake);
    while (!receivers_.empty()) {
      if (cancelled(receivers_.front())) {
        to_wake.serve(receivers_, receivers_.front());
        continue;
      }
      std::optional<T> value = take(to_wake);
      if (!value) return;
      // Cancelled just now: it is held, if need be beyond the capacity, since its sender was told.
      if (!give(*value, to_wake)) ring_.push_front(std::move(*value));
    }
  }

  static constexpr size_t swept_size_min = 16;

  // Who changes what both ends look at holds both. Then is_empty() knows nothing.
  struct BothEnds {
    explicit BothEnds(Channel& channel) : of(channel) {}
    void lock() {
      of.back_.lock();
      of.front_.lock();
      of.plain_.store(false, std::memory_order_relaxed);
    }
    void unlock() {
      of.plain_.store(of.senders_.empty() && !of.ended_, std::memory_order_release);
      of.front_.unlock();
      of.back_.unlock();
    }
    Channel& of;
  };

  Scheduler& scheduler_;
  const size_t capacity_;
  mutable BothEnds both_ends_{*this};
  TwoEndedRing<T> ring_;  // Each end guarded by its lock.
  // Read by who holds one of the locks, changed by who holds both.
  Line senders_;
  Line receivers_;
  size_t senders_swept_ = swept_size_min;
  size_t receivers_swept_ = swept_size_min;
  std::optional<Error> ended_;
  bool stopped_ = false;
  // Nobody waits to send, and it has not ended.
  std::atomic<bool> plain_ = true;
  alignas(64) ShortMutex back_;
  alignas(64) ShortMutex front_;
};

}  // namespace tram::work
