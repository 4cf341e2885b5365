// Messages to one address, on their way from the threads that send to the loop that writes.
//
// A message is copied once, framed, behind the one before it, into a block that the loop then hands
// to an outbox by reference. A block whose bytes have all been written is used again
// (block_pool.h), so there is no allocation for a message, once as many blocks are there as wait at
// a time.
//
// There is one line of messages for each connection to the address (a lane). Order is kept in a
// lane, and a lane is not left for another while less than `spread_min` waits in it.
//
// Threads: any may push; the rest belongs to the loop. One short lock for each push, and one for
// each turn of the loop.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "tram/base/result.h"
#include "tram/base/shared_bytes.h"
#include "tram/base/time.h"
#include "tram/net/peer/block_pool.h"

namespace tram::net {

using base::BytesView;
using base::SharedBytes;

// Told once what became of a message: nothing, or why it was not confirmed.
using OnSettled = std::move_only_function<void(base::Result<>)>;
// Told once that there is room, or that there is nobody left to make any.
using OnRoom = std::move_only_function<void()>;

// Consecutive messages with one fate: some that nobody waits for, or one that somebody does.
struct Run {
  uint64_t messages = 0;
  size_t bytes = 0;  // On the wire.
  uint64_t end = 0;  // Once it is given to a connection: where it ends in what that is to write.
  OnSettled on_settled = {};
};

class SendQueue {
 public:
  struct Limits {
    size_t lanes = 1;
    size_t waiting_max = 0;
    size_t spread_min = 0;
    // Shared with other queues; none: it has its own.
    std::shared_ptr<BlockPool> blocks = nullptr;
  };
  explicit SendQueue(Limits limits) : limits_(std::move(limits)), lanes_(limits_.lanes) {
    if (!limits_.blocks) limits_.blocks = std::make_shared<BlockPool>();
  }

  // --- Any thread.
  enum class Pushed {
    quietly,    // The loop knows already that something is here.
    first,      // The loop must be told.
    no_room,    // Too much waits.
    abandoned,  // Nobody will ever look here again: ask for the address anew.
  };
  // Moves from `on_settled` unless there is no room; it may be empty.
  Pushed try_push(BytesView payload, OnSettled& on_settled);
  // Waits until a push might succeed, or the time is over (false).
  bool wait_for_room(size_t size, base::Duration wait_max);
  void when_room(size_t size, OnRoom on_room);

  // --- The loop.
  struct Piece {
    SharedBytes owner;
    BytesView bytes;
  };
  // What is to be written next, and what it consists of.
  struct Batch {
    std::vector<Piece> pieces;
    std::vector<Run> runs;
  };
  // All that waits in a lane, in place of what was in `into`, whose memory is kept for later.
  // False if nothing waits.
  bool take(size_t lane, Batch& into);
  // What waits in `from` goes to the end of lane `to`.
  void splice(size_t from, size_t to);
  // So many bytes need no longer be counted as waiting. `all_written`: nobody refers to the lane's
  // bytes any more.
  void settle(size_t lane, size_t bytes, bool all_written);
  // After the first of a take: the next push is to be told again.
  void expect_telling();
  bool empty(size_t lane);
  size_t waiting();
  // The lane's connection has gone, but its outbox may still refer to the block: a new one is taken
  // when there is something to put in. What the pool keeps is freed: if others are busy, they soon
  // have theirs again; if none is, nobody needs it.
  void release(size_t lane);
  // False if something waits. Otherwise every push is told `abandoned` from now on, unless `force`.
  bool abandon(bool force);

 private:
  struct Lane {
    std::vector<Piece> pieces;  // Full blocks, and what of the last one was taken apart.
    std::vector<Run> runs;
    SharedBytes block;
    size_t used = 0;   // Of the block.
    size_t taken = 0;  // Of the used: what the loop has, or has as a piece.
    size_t waiting = 0;
    std::deque<SharedBytes> full;  // Blocks that the loop still has, or had, oldest first.
  };
  bool has_room(size_t size) const {
    return waiting_ == 0 || waiting_ + size <= limits_.waiting_max;
  }
  Lane& choose();
  static void close_piece(Lane& lane);
  char* reserve(Lane& lane, size_t size);
  void collect(Lane& lane);

  Limits limits_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::vector<Lane> lanes_;
  struct Waiting {
    size_t size;
    OnRoom on_room;
  };
  std::deque<Waiting> wait_for_room_;
  size_t sleepers_ = 0;
  size_t waiting_ = 0;
  bool told_ = false;
  bool abandoned_ = false;
};

}  // namespace tram::net
