// One of the connections to an address: dials when there is something to send, writes it, tells
// what became of it, and dials again.
//
//            staged     dialled, and secured         idle for long, or lost and nothing staged
//   idle ───────────► dialling ───────► open ────────────────────────────────────────────► idle
//    ▲                 │    ▲             │ lost, and something is staged
//    │ given up        │    └── time ── resting ◄── failed, or lost
//    └─────────────────┴────────────────┘
//
// What was given to a connection that is lost is told so, and never sent again: it may have
// arrived. What was only staged goes to the next connection.
//
// Belongs to the loop.
#pragma once

#include <memory>
#include <vector>

#include "tram/net/peer/dialer.h"
#include "tram/net/peer/send_queue.h"
#include "tram/net/timers.h"

namespace tram::net {

class PeerCore;
class Wire;
struct Destination;

class Lane {
 public:
  Lane(PeerCore& core, Destination& destination, size_t index);
  ~Lane();

  // Something may be staged.
  void on_staged();
  // It failed, and waits to try again.
  bool resting() const { return state_ == State::resting; }
  bool idle() const { return state_ == State::idle; }
  // Tells everything that is staged or in flight, and gives its connection up.
  void give_up(const base::Error& why);

  // --- From its wire.
  void on_secured();
  void on_written();
  // So many messages of this connection came. False if that cannot be.
  bool on_count(uint64_t count);
  void on_wire_closed(const base::Error& why);

 private:
  enum class State { idle, resting, dialling, open };
  void connect();
  void dial();
  void on_dialled(base::Result<int> dialled);
  void on_dial_failed(const base::Error& why);
  void open(Wire& wire);
  void fill();
  void on_timer();
  void go_idle();
  void rest_until(Time when);
  void settle_written();
  size_t settle_front();
  void forget_settled();
  void lose(std::vector<Run>& runs, size_t first, const base::Error& why);
  void lose_staged(const base::Error& why);
  void lose_flight(const base::Error& why);
  bool by_count() const;

  PeerCore& core_;
  Destination& destination_;
  size_t index_;
  State state_ = State::idle;
  std::unique_ptr<Dialer> dialer_;
  Wire* wire_ = nullptr;
  SendQueue::Batch batch_;
  // In flight: given to the connection, and not confirmed.
  std::vector<Run> runs_;
  size_t first_ = 0;        // Runs before it are confirmed.
  uint64_t messages_ = 0;   // Given to this connection in all.
  uint64_t confirmed_ = 0;  // Of these.
  Time progress_at_;        // Something was given to it, or confirmed.
  Time open_at_;
  Timer timer_;
  unsigned attempt_ = 0;  // Connections in a row that failed, or were lost at once.
  Time not_before_;       // The next attempt.
  bool failing_ = false;
  Time failing_since_;
};

}  // namespace tram::net
