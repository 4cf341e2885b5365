// One round of a row, as one of its two processes sees it: what it is told on the command line, how
// it speaks with `run` in lines on its standard input and output, and how receipt is verified.
// original/main.go is the same for Go.
//
//   receiver                          sender
//   > 127.0.0.1:40000                 (is started with that address)
//   (counts)                          (sends `warm` messages, so that all connections are there)
//   > warm                            < go
//   (counts)                          (sends `count` messages)
//   > {"end":..., "cpu":...}          < stop
//                                     > {"begin":..., "cpu":...}
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The command line: receive|send CONTESTANT KIND SIZE WARM COUNT SENDERS [ADDRESS].
struct Round {
  bool receives = false;
  std::string contestant;  // "tram", "tcp", ...
  std::string kind;        // "stream"; "ask", questions and answers; "connect", one message each.
  size_t size = 0;         // Bytes of a message, at least 8.
  uint64_t warm = 0;
  uint64_t count = 0;
  unsigned senders = 1;  // Threads that send, a part of the messages each.
  std::string address;   // To send to.

  uint64_t all() const { return warm + count; }
  // Of `size` bytes; its number is yet to be written.
  std::string message() const { return std::string(size, 'x'); }
};

// A message's number is its first 8 bytes.
void write_number(std::string& message, uint64_t number);

// Since 1970: the same in both processes.
uint64_t now_ns();

// What came: every number below `all()` once, and from one sender in order unless each has its own
// connection, or the result has a `problem`. For one thread at a time. Tells `run` when `warm`, and
// when all, have come.
class Tally {
 public:
  explicit Tally(const Round& round) : round_(round) {}
  // `head` has 8 bytes. True if it was the last.
  bool add(const char* head, size_t size);
  bool is_over() const { return came_ == round_.all(); }

 private:
  const Round& round_;
  uint64_t came_ = 0;
  uint64_t sum_ = 0;
  double cpu_began_ = 0;
  std::string problem_;
};

void say(std::string_view line);
// A line from `run`, or its end.
void wait_for_run();
// Ends this process: nothing of the round can be believed.
[[noreturn]] void give_up(std::string_view why);

// Sends a message of each number from `first` to `last`, and not `last`.
using Send = std::function<void(uint64_t first, uint64_t last)>;
// What a sender does, from its first message to its result: calls `send` from as many threads as
// there are senders. `latencies` (ns) are those that `send` has added, if it measures them.
void send_round(const Round& round, const Send& send, std::vector<uint64_t>* latencies = nullptr);

// The contestants of this program.
void run_tram(const Round& round);
void run_sockets(const Round& round);

}  // namespace bench
