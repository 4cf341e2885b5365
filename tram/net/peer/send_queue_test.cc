#include "tram/net/peer/send_queue.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <vector>

#include "tram/net/peer/frame.h"

using namespace std::chrono_literals;
using namespace tram::net;
using Pushed = SendQueue::Pushed;

namespace {

Pushed push(SendQueue& queue, BytesView payload) {
  OnSettled nobody;
  return queue.try_push(payload, nobody);
}

// What a lane has to write.
std::string take(SendQueue& queue, size_t lane = 0) {
  SendQueue::Batch batch;
  queue.take(lane, batch);
  std::string bytes;
  for (const SendQueue::Piece& piece : batch.pieces) bytes += piece.bytes;
  size_t of_runs = 0;
  for (const Run& run : batch.runs) of_runs += run.bytes;
  CHECK(of_runs == bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("messages are framed one behind another, and the loop is told of the first") {
  SendQueue queue({.lanes = 1, .waiting_max = 1000, .spread_min = 1000});
  CHECK(push(queue, "a") == Pushed::first);
  CHECK(push(queue, "bc") == Pushed::quietly);
  queue.expect_telling();
  CHECK(take(queue) ==
        "\xA1"
        "a"
        "\xA2"
        "bc");
  CHECK(push(queue, "d") == Pushed::first);
  CHECK(take(queue) ==
        "\xA1"
        "d");
  CHECK(queue.waiting() == 7);
  queue.settle(0, 7, true);
  CHECK(queue.waiting() == 0);
}

TEST_CASE("bytes that the loop has are not touched by what is pushed behind them") {
  SendQueue queue({.lanes = 1, .waiting_max = 10 << 20, .spread_min = 10 << 20});
  SendQueue::Batch first;
  SendQueue::Batch second;
  push(queue, std::string(1000, 'a'));
  queue.take(0, first);
  for (int i = 0; i < 500; ++i) push(queue, std::string(1000, 'b'));
  queue.take(0, second);
  std::string seen;
  for (const SendQueue::Piece& piece : first.pieces) seen += piece.bytes;
  CHECK(seen.substr(3) == std::string(1000, 'a'));
  seen.clear();
  for (const SendQueue::Piece& piece : second.pieces) seen += piece.bytes;
  CHECK(seen.size() == 500 * 1003);
  CHECK(seen.find('a') == std::string::npos);
}

TEST_CASE("a block whose bytes are all written is used again, and not before") {
  SendQueue queue({.lanes = 1, .waiting_max = 1 << 20, .spread_min = 1 << 20});
  SendQueue::Batch batch;
  push(queue, "x");
  queue.take(0, batch);
  const char* place = batch.pieces[0].bytes.data();
  batch.pieces.clear();
  queue.settle(0, 2, true);
  push(queue, "y");
  queue.take(0, batch);
  CHECK(batch.pieces[0].bytes.data() == place);
  queue.settle(0, 2, false);  // Somebody may still look at it.
  push(queue, "z");
  queue.take(0, batch);
  CHECK(batch.pieces[0].bytes.data() == place + 2);
  // The connection has gone, but not its outbox.
  queue.release(0);
  push(queue, "w");
  SendQueue::Batch next;
  queue.take(0, next);
  CHECK(next.pieces[0].bytes == "\xA1w");
  CHECK(batch.pieces[0].bytes == "\xA1z");
}

TEST_CASE("a queue that has written all leaves its large blocks to the others") {
  auto blocks = std::make_shared<BlockPool>();
  SendQueue::Limits limits{
      .lanes = 1, .waiting_max = 10 << 20, .spread_min = 10 << 20, .blocks = blocks};
  SendQueue first(limits);
  SendQueue second(limits);
  SendQueue::Batch batch;
  std::string body(65536, 'x');
  size_t size = 0;
  for (int i = 0; i < 9; ++i, size += body.size() + 5) push(first, body);
  first.take(0, batch);
  REQUIRE(batch.pieces.size() == 3);  // Of four messages each.
  std::vector<const void*> places;
  for (const SendQueue::Piece& piece : batch.pieces) places.push_back(piece.bytes.data());
  CHECK(blocks->kept() == 0);
  batch.pieces.clear();
  first.settle(0, size, true);
  CHECK(blocks->kept() == 3 * BlockPool::large_size);
  push(second, body);
  second.take(0, batch);
  CHECK(std::ranges::count(places, batch.pieces[0].bytes.data()) == 1);
  CHECK(blocks->kept() == 2 * BlockPool::large_size);
  second.release(0);
  CHECK(blocks->kept() == 0);
}

TEST_CASE("no more blocks are kept than it says, and none of an odd size") {
  BlockPool blocks;
  blocks.give_back(tram::base::SharedBytes::with_size(100));
  CHECK(blocks.kept() == 0);
  for (size_t i = 0; i < 200; ++i)
    blocks.give_back(tram::base::SharedBytes::with_size(BlockPool::usual_size));
  CHECK(blocks.kept() <= BlockPool::kept_max);
  CHECK(blocks.kept() + BlockPool::usual_size > BlockPool::kept_max);
}

TEST_CASE("more than waiting_max is not taken, but one message that is larger than it is") {
  SendQueue queue({.lanes = 1, .waiting_max = 100, .spread_min = 100});
  CHECK(push(queue, std::string(500, 'x')) == Pushed::first);
  CHECK(push(queue, "x") == Pushed::no_room);
  CHECK_FALSE(queue.wait_for_room(1, 0s));
  int told = 0;
  queue.when_room(1, [&] { ++told; });
  queue.when_room(1000, [&] { ++told; });
  CHECK(take(queue).size() == 503);
  CHECK(told == 0);
  queue.settle(0, 503, true);
  CHECK(told == 2);
  CHECK(queue.wait_for_room(1, 0s));
}

TEST_CASE("messages that nobody waits for are counted together; one that somebody does, alone") {
  SendQueue queue({.lanes = 1, .waiting_max = 10'000, .spread_min = 10'000});
  push(queue, "a");
  push(queue, "b");
  OnSettled somebody = [](tram::base::Result<>) {};
  queue.try_push("c", somebody);
  CHECK_FALSE(somebody);
  push(queue, "d");
  SendQueue::Batch batch;
  queue.take(0, batch);
  REQUIRE(batch.runs.size() == 3);
  CHECK(batch.runs[0].messages == 2);
  CHECK(batch.runs[1].on_settled);
  CHECK(batch.runs[2].messages == 1);
}

TEST_CASE("another lane is used once enough waits in those before it; lanes can be put together") {
  SendQueue queue({.lanes = 2, .waiting_max = 1000, .spread_min = 10});
  push(queue, "123456789");
  push(queue, "ab");
  push(queue, "c");
  CHECK_FALSE(queue.empty(1));
  queue.splice(1, 0);
  CHECK(queue.empty(1));
  CHECK(take(queue) ==
        "\xA9"
        "123456789"
        "\xA2"
        "ab"
        "\xA1"
        "c");
  queue.settle(0, 15, true);
  CHECK(queue.waiting() == 0);
}

TEST_CASE(
    "an abandoned queue takes nothing, and wakes those who wait; a busy one is not abandoned") {
  SendQueue queue({.lanes = 1, .waiting_max = 1, .spread_min = 1});
  push(queue, "x");
  CHECK_FALSE(queue.abandon(false));
  bool told = false;
  queue.when_room(1, [&] { told = true; });
  CHECK(queue.abandon(true));
  CHECK(told);
  CHECK(push(queue, "y") == Pushed::abandoned);
  CHECK(take(queue) ==
        "\xA1"
        "x");
}
