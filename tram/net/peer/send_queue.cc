#include "tram/net/peer/send_queue.h"

#include <algorithm>
#include <cstring>

#include "tram/base/assert.h"
#include "tram/net/peer/frame.h"
#include "tram/net/peer/wait_at_most.h"

namespace tram::net {

namespace {

// Most lanes carry little, so the first block is small.
constexpr size_t block_small = size_t{4} << 10;
// Larger ones would leave much of a usual block empty, or do not fit.
constexpr size_t large_message = size_t{16} << 10;
// Messages that nobody waits for are counted together, up to so many: of a run that was on its way
// when its connection was lost, none counts as confirmed.
constexpr uint64_t run_messages_max = 64;

}  // namespace

SendQueue::Lane& SendQueue::choose() {
  for (Lane& lane : lanes_)
    if (lane.waiting < limits_.spread_min) return lane;
  return *std::ranges::min_element(lanes_, {}, &Lane::waiting);
}

// What was used of the block since the last time becomes a piece.
void SendQueue::close_piece(Lane& lane) {
  if (lane.used == lane.taken) return;
  lane.pieces.push_back(
      {lane.block, BytesView(lane.block.mutable_data() + lane.taken, lane.used - lane.taken)});
  lane.taken = lane.used;
}

// Blocks that the loop has no use for any more go to the pool. It lets go of them in order.
void SendQueue::collect(Lane& lane) {
  while (!lane.full.empty() && lane.full.front().held_once()) {
    limits_.blocks->give_back(std::move(lane.full.front()));
    lane.full.pop_front();
  }
}

// The block is shared with outboxes, which look at the bytes in front of `used` only; so here it is
// filled behind them, although it is shared.
char* SendQueue::reserve(Lane& lane, size_t size) {
  if (lane.block.size() - lane.used < size) {
    close_piece(lane);
    size_t wanted = lane.block ? BlockPool::usual_size : block_small;
    if (size > large_message) wanted = BlockPool::large_size;
    // No more of them than can wait: a lane that was put together with another may have left that
    // its first block for long.
    if (lane.block.size() > block_small &&
        lane.full.size() <= limits_.waiting_max / lane.block.size())
      lane.full.push_back(std::move(lane.block));
    collect(lane);
    lane.used = lane.taken = 0;
    lane.block = limits_.blocks->take(std::max(size, wanted));
  }
  return lane.block.mutable_data() + lane.used;
}

SendQueue::Pushed SendQueue::try_push(BytesView payload, OnSettled& on_settled) {
  std::lock_guard lock(mutex_);
  if (abandoned_) return Pushed::abandoned;
  size_t most = frame_header_max + payload.size();
  if (!has_room(most)) return Pushed::no_room;
  Lane& lane = choose();
  char* to = reserve(lane, most);
  size_t header = write_frame_header(to, payload.size());
  if (!payload.empty()) std::memcpy(to + header, payload.data(), payload.size());
  size_t size = header + payload.size();
  lane.used += size;
  lane.waiting += size;
  waiting_ += size;
  if (on_settled || lane.runs.empty() || lane.runs.back().on_settled ||
      lane.runs.back().messages == run_messages_max) {
    lane.runs.push_back({.messages = 1, .bytes = size, .on_settled = std::move(on_settled)});
  } else {
    ++lane.runs.back().messages;
    lane.runs.back().bytes += size;
  }
  return std::exchange(told_, true) ? Pushed::quietly : Pushed::first;
}

bool SendQueue::wait_for_room(size_t size, base::Duration wait_max) {
  std::unique_lock lock(mutex_);
  auto ready = [&] { return abandoned_ || has_room(frame_header_max + size); };
  if (ready()) return true;
  ++sleepers_;
  bool room = wait_at_most(room_, lock, wait_max, ready);
  --sleepers_;
  return room;
}

void SendQueue::when_room(size_t size, OnRoom on_room) {
  {
    std::lock_guard lock(mutex_);
    if (!abandoned_ && !has_room(frame_header_max + size)) {
      wait_for_room_.push_back({frame_header_max + size, std::move(on_room)});
      return;
    }
  }
  on_room();
}

bool SendQueue::take(size_t lane_index, Batch& into) {
  into.pieces.clear();
  into.runs.clear();
  std::lock_guard lock(mutex_);
  Lane& lane = lanes_[lane_index];
  close_piece(lane);
  std::swap(lane.pieces, into.pieces);
  std::swap(lane.runs, into.runs);
  return !into.runs.empty();
}

void SendQueue::splice(size_t from_index, size_t to_index) {
  std::lock_guard lock(mutex_);
  Lane& from = lanes_[from_index];
  Lane& to = lanes_[to_index];
  close_piece(from);
  close_piece(to);
  std::ranges::move(from.pieces, std::back_inserter(to.pieces));
  from.pieces.clear();
  for (Run& run : from.runs) {
    from.waiting -= run.bytes;
    to.waiting += run.bytes;
    to.runs.push_back(std::move(run));
  }
  from.runs.clear();
}

void SendQueue::settle(size_t lane_index, size_t bytes, bool all_written) {
  std::vector<OnRoom> told;
  {
    std::lock_guard lock(mutex_);
    Lane& lane = lanes_[lane_index];
    TRAM_ASSERT(bytes <= lane.waiting && bytes <= waiting_, bytes, lane.waiting, waiting_);
    lane.waiting -= bytes;
    waiting_ -= bytes;
    if (all_written && lane.pieces.empty() && lane.used == lane.taken) {
      collect(lane);
      if (lane.block.held_once()) {
        lane.used = lane.taken = 0;
        if (lane.block.size() > BlockPool::usual_size)
          limits_.blocks->give_back(std::exchange(lane.block, SharedBytes()));
      }
    }
    // Half of it, so that those who wait are not woken for each message.
    if (waiting_ <= limits_.waiting_max / 2) {
      if (sleepers_ > 0) room_.notify_all();
      while (!wait_for_room_.empty() && has_room(wait_for_room_.front().size)) {
        told.push_back(std::move(wait_for_room_.front().on_room));
        wait_for_room_.pop_front();
      }
    }
  }
  for (OnRoom& one : told) one();
}

void SendQueue::expect_telling() {
  std::lock_guard lock(mutex_);
  told_ = false;
}

bool SendQueue::empty(size_t lane) {
  std::lock_guard lock(mutex_);
  return lanes_[lane].runs.empty();
}

size_t SendQueue::waiting() {
  std::lock_guard lock(mutex_);
  return waiting_;
}

void SendQueue::release(size_t lane_index) {
  limits_.blocks->clear();
  std::lock_guard lock(mutex_);
  Lane& lane = lanes_[lane_index];
  close_piece(lane);
  lane.block = SharedBytes();
  lane.full.clear();
  lane.used = lane.taken = 0;
}

bool SendQueue::abandon(bool force) {
  std::deque<Waiting> told;
  {
    std::lock_guard lock(mutex_);
    if (waiting_ > 0 && !force) return false;
    abandoned_ = true;
    room_.notify_all();
    told.swap(wait_for_room_);
  }
  for (Waiting& one : told) one.on_room();
  return true;
}

}  // namespace tram::net
