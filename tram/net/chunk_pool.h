// Memory for bytes that wait to be written: two sizes of chunk, a few kept for the next turn.
//
// Belongs to one loop. An idle connection holds no chunk at all.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace tram::net {

class ChunkPool {
 public:
  static constexpr size_t small_size = size_t{4} << 10;
  static constexpr size_t large_size = size_t{64} << 10;

  std::unique_ptr<char[]> take(size_t size) {
    std::vector<std::unique_ptr<char[]>>& kept = size == small_size ? small_ : large_;
    if (size != small_size && size != large_size) return std::unique_ptr<char[]>(new char[size]);
    if (kept.empty()) return std::unique_ptr<char[]>(new char[size]);
    std::unique_ptr<char[]> chunk = std::move(kept.back());
    kept.pop_back();
    return chunk;
  }
  void give_back(std::unique_ptr<char[]> chunk, size_t size) {
    if (size == small_size && small_.size() < small_kept_max)
      small_.push_back(std::move(chunk));
    else if (size == large_size && large_.size() < large_kept_max)
      large_.push_back(std::move(chunk));
    else
      freed_ += size;
  }

  // Bytes waiting in all outboxes of the loop (of each at most Outbox::counted_max).
  size_t waiting() const { return waiting_; }
  void count_waiting(size_t change) { waiting_ += change; }  // Wraps: may be negative.

  // Bytes given back to the C library since `forget_freed`: chunks that were not kept, and what
  // is counted here by others.
  void count_freed(size_t bytes) { freed_ += bytes; }
  size_t freed() const { return freed_; }
  void forget_freed() { freed_ = 0; }

 private:
  // At most 256 KiB and 1 MiB kept by an idle loop that was busy once.
  static constexpr size_t small_kept_max = 64;
  static constexpr size_t large_kept_max = 16;
  size_t waiting_ = 0;
  size_t freed_ = 0;
  std::vector<std::unique_ptr<char[]>> small_;
  std::vector<std::unique_ptr<char[]>> large_;
};

}  // namespace tram::net
