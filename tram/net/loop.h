// One thread's event loop.
//
// A turn: whatever the kernel has ready is handled, timers fire, and then everything that was put
// off to the end of the turn is done once (outboxes are written, batches sent). So a hundred
// messages to one reader cost one write, not a hundred.
//
// Threads: everything belongs to the thread in `run`, except `post` and `stop`.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "tram/base/clock.h"
#include "tram/base/intrusive_list.h"
#include "tram/net/timers.h"

namespace boost::asio {
class io_context;
}

namespace tram::net {

class ChunkPool;
class Connection;
class ReadySet;

// Something to be done once at the end of the turn.
class TurnEnd : public base::Link<TurnEnd> {
 public:
  virtual void on_turn_end() = 0;

 protected:
  ~TurnEnd() = default;
};

// Connections whose reading waits a moment for slow receivers.
class HeldBack : public base::Link<HeldBack> {
 public:
  virtual void on_relief() = 0;

 protected:
  ~HeldBack() = default;
};

class Loop {
 public:
  explicit Loop(const base::Clock& clock);
  ~Loop();

  // Runs until `stop`. An idle loop sleeps in the kernel.
  void run();
  // Any thread.
  void stop();
  // Any thread. In the order of the calls of each thread. What has not run when the loop is
  // destroyed never does.
  void post(std::move_only_function<void()> task);

  // The time of this turn: read once a turn, as reading a clock costs more than a short message.
  Time now();
  Timers& timers() { return timers_; }
  void start(Timer& timer, Duration after) { timers_.start(timer, now() + after); }

  // Once per turn, however often it is asked. Something enlisted while turn ends are being
  // done is done in the same turn.
  void at_turn_end(TurnEnd& work) {
    if (!work.linked()) turn_ends_.push_back(work);
  }
  void forget(TurnEnd& work) {
    if (work.linked()) turn_ends_.erase(work);
  }

  // Waits for `relieve`, but not longer than `hold_back_max`: whatever else happens, a
  // publisher gets on.
  void hold_back(HeldBack& held);
  void forget(HeldBack& held) {
    if (held.linked()) held_back_.erase(held);
  }
  // Some receiver has caught up: whoever is held back may go on.
  void relieve();
  static constexpr Duration hold_back_max = std::chrono::milliseconds(50);

  // Much memory was freed: if it stays so for a moment, it is given back to the system, where the
  // C library would keep it.
  void trim_later();

  // Where connections read to: one buffer for all of them, as each is read and handled in turn.
  std::span<char> read_buffer();
  ChunkPool& chunks() { return *chunks_; }
  // Where connections wait for their sockets.
  ReadySet& sockets() { return *sockets_; }
  // For everything that seldom happens: listeners, and what else Asio can wait for.
  boost::asio::io_context& context();
  const base::Clock& clock() const { return clock_; }

  // Every connection of this loop.
  base::IntrusiveList<Connection>& connections();

 private:
  struct Io;
  void finish_turn();
  void sleep();
  void arm_timer();
  void trim();

  const base::Clock& clock_;
  Timers timers_;
  base::IntrusiveList<TurnEnd, TurnEnd> turn_ends_;
  base::IntrusiveList<HeldBack, HeldBack> held_back_;
  Timer relief_;
  Timer trim_;
  Time now_;
  bool now_is_stale_ = true;
  std::unique_ptr<char[]> read_buffer_;
  std::unique_ptr<ChunkPool> chunks_;
  std::unique_ptr<ReadySet> sockets_;
  std::unique_ptr<Io> io_;
};

}  // namespace tram::net
