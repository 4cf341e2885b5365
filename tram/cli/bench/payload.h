// The sequence numbers in a bench's payloads, and the judge of what comes back: every message
// of every publisher, in order, exactly once.
//
//   publisher (4 bytes) | round (4) | sequence (8) | filling up to the size
//
// Payloads of less than 16 bytes have no room for that: then only counts are judged.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "tram/base/bytes.h"

namespace tram::cli::bench {

constexpr size_t stamp_bytes = 16;

struct Stamp {
  uint32_t publisher = 0;
  uint32_t round = 0;
  uint64_t sequence = 0;
};

inline void write_stamp(base::Bytes& payload, const Stamp& stamp) {
  if (payload.size() < stamp_bytes) return;
  std::memcpy(payload.data(), &stamp.publisher, 4);
  std::memcpy(payload.data() + 4, &stamp.round, 4);
  std::memcpy(payload.data() + 8, &stamp.sequence, 8);
}

inline Stamp read_stamp(base::BytesView payload) {
  Stamp stamp;
  std::memcpy(&stamp.publisher, payload.data(), 4);
  std::memcpy(&stamp.round, payload.data() + 4, 4);
  std::memcpy(&stamp.sequence, payload.data() + 8, 8);
  return stamp;
}

// One subscriber's judge, when it is to see everything of some publishers.
class OrderJudge {
 public:
  OrderJudge(uint32_t publishers, uint32_t round, size_t size)
      : next_(publishers, 0), round_(round), size_(size) {}

  void see(base::BytesView payload) {
    ++count_;
    if (payload.size() != size_) {
      ++wrong_size_;
      return;
    }
    if (size_ < stamp_bytes) return;
    Stamp stamp = read_stamp(payload);
    if (stamp.round != round_ || stamp.publisher >= next_.size()) {
      ++foreign_;
      return;
    }
    uint64_t& next = next_[stamp.publisher];
    if (stamp.sequence < next) {
      ++repeated_or_late_;
    } else {
      missing_ += stamp.sequence - next;
      next = stamp.sequence + 1;
    }
  }

  uint64_t count() const { return count_; }
  void report(const std::string& who, uint64_t expected, std::vector<std::string>& problems) const {
    auto say = [&](uint64_t number, const char* what) {
      if (number != 0) problems.push_back(who + ": " + std::to_string(number) + what);
    };
    if (count_ < expected) say(expected - count_, " messages never came");
    if (count_ > expected) say(count_ - expected, " messages too many came");
    say(missing_, " messages were missing from their place");
    say(repeated_or_late_, " messages came twice or out of order");
    say(wrong_size_, " messages had another size");
    say(foreign_, " messages were not ours");
  }

 private:
  std::vector<uint64_t> next_;
  uint32_t round_;
  size_t size_;
  uint64_t count_ = 0;
  uint64_t missing_ = 0;
  uint64_t repeated_or_late_ = 0;
  uint64_t wrong_size_ = 0;
  uint64_t foreign_ = 0;
};

// The judge of messages that are shared: each is to be seen once, by anybody, in any order.
class OnceJudge {
 public:
  OnceJudge(uint64_t publishers, uint64_t messages_each, uint32_t round, size_t size)
      : seen_(publishers, std::vector<bool>(size < stamp_bytes ? 0 : messages_each)),
        round_(round),
        size_(size) {}

  void see(base::BytesView payload) {
    ++count_;
    if (size_ < stamp_bytes) return;
    if (payload.size() != size_) {
      ++foreign_;
      return;
    }
    Stamp stamp = read_stamp(payload);
    if (stamp.round != round_ || stamp.publisher >= seen_.size() ||
        stamp.sequence >= seen_[stamp.publisher].size()) {
      ++foreign_;
      return;
    }
    auto bit = seen_[stamp.publisher][stamp.sequence];
    if (bit) ++repeated_;
    bit = true;
  }

  uint64_t count() const { return count_; }
  uint64_t repeated() const { return repeated_; }
  void report(uint64_t expected, std::vector<std::string>& problems) const {
    if (count_ - repeated_ < expected) {
      problems.push_back(std::to_string(expected - (count_ - repeated_)) + " messages never came");
    }
    if (repeated_ != 0) problems.push_back(std::to_string(repeated_) + " messages came twice");
    if (foreign_ != 0) problems.push_back(std::to_string(foreign_) + " messages were not ours");
  }

 private:
  std::vector<std::vector<bool>> seen_;
  uint32_t round_;
  size_t size_;
  uint64_t count_ = 0;
  uint64_t repeated_ = 0;
  uint64_t foreign_ = 0;
};

}  // namespace tram::cli::bench
