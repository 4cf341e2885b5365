// Datagrams between the loop that reads them and the threads that take them.
//
// Threads: any. Takes one short lock for a batch on the loop's side, one for a message, or for all
// that there are, on the other. Without allocation once it has grown to its usual size.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "tram/base/result.h"
#include "tram/base/time.h"
#include "tram/net/peer/datagram.h"

namespace tram::net {

class Inbox {
 public:
  // Told once, when something has come or the inbox is closed. Returns false if it does not want
  // the datagram after all: then the next one gets it. Runs on the thread that has it: the loop's,
  // or that of `take_then`. Until it returns nobody else is given anything, so it waits for
  // nothing.
  using OnReceived = std::move_only_function<bool(base::Result<Datagram>)>;

  // `on_room` is called by a taker after `is_full` was seen true, when half of it is free again.
  Inbox(size_t bytes_max, std::function<void()> on_room)
      : bytes_max_(bytes_max), on_room_(std::move(on_room)) {}

  // --- The loop's side. What is moved from stays in `datagrams`, which keeps its memory.
  void push(std::vector<Datagram>& datagrams);
  // Takes datagrams all the same; whoever can should stop bringing them.
  bool is_full();
  // Takers get what is there, and then Errc::cancelled.
  void close();

  // --- The takers' side. Errors: timed_out; cancelled once it is closed and empty.
  base::Result<Datagram> take(base::Duration wait_max);
  // All that is there, at least one, in place of what was in `into`.
  base::Result<> take_all(std::vector<Datagram>& into, base::Duration wait_max);
  void take_then(OnReceived on_received);

 private:
  // What a datagram costs beside its bytes.
  static size_t cost_of(const Datagram& datagram) { return datagram.data.size() + sizeof datagram; }
  bool wait(std::unique_lock<std::mutex>& lock, base::Duration wait_max);
  bool empty() const { return next_ == out_.size() && in_.empty(); }
  Datagram take_one();
  bool makes_room();
  void serve(std::unique_lock<std::mutex>& lock);

  size_t bytes_max_;
  std::function<void()> on_room_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Datagram> in_;   // What came last,
  std::vector<Datagram> out_;  // and what is taken first, from next_ on.
  size_t next_ = 0;
  size_t bytes_ = 0;
  size_t sleepers_ = 0;
  std::deque<OnReceived> waiting_;
  bool serving_ = false;
  bool room_wanted_ = false;
  bool closed_ = false;
};

}  // namespace tram::net
