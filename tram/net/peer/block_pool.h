// Blocks that messages wait in, between two uses. All of a Peer's send queues share one pool, so an
// address that is busy takes what another has left, and those that are quiet hold next to nothing.
//
// Why it is worth having: a sender that runs ahead of its loop by megabytes, and is then caught up
// with, would ask the system for fresh pages each time. That cost a third of the throughput at
// 64 KiB (docs/peer.md).
//
// Threads: any. One short lock for each block, and so for many messages.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "tram/base/shared_bytes.h"

namespace tram::net {

class BlockPool {
 public:
  // With a little over a power of two, as many messages of a power of two's size fit as look as if
  // they would, with what is written before each.
  static constexpr size_t usual_size = size_t{65} << 10;
  static constexpr size_t large_size = size_t{257} << 10;
  // Beyond it, what is given back is freed: as much as waits for one address, if not told
  // otherwise.
  static constexpr size_t kept_max = size_t{8} << 20;

  // Nobody else has it. The one given back last comes first: the cache may still know it.
  base::SharedBytes take(size_t size) {
    if (std::vector<base::SharedBytes>* kept = kept_of(size)) {
      std::lock_guard lock(mutex_);
      if (!kept->empty()) {
        base::SharedBytes block = std::move(kept->back());
        kept->pop_back();
        kept_ -= size;
        return block;
      }
    }
    return base::SharedBytes::with_size(size);
  }
  // One that nobody else has. Other sizes than the two are freed.
  void give_back(base::SharedBytes block) {
    size_t size = block.size();
    std::vector<base::SharedBytes>* kept = kept_of(size);
    if (kept == nullptr) return;
    std::lock_guard lock(mutex_);
    if (kept_ + size > kept_max) return;
    kept->push_back(std::move(block));
    kept_ += size;
  }
  // Frees all.
  void clear() {
    std::vector<base::SharedBytes> usual;
    std::vector<base::SharedBytes> large;
    std::lock_guard lock(mutex_);
    usual.swap(usual_);
    large.swap(large_);
    kept_ = 0;
  }
  size_t kept() const {
    std::lock_guard lock(mutex_);
    return kept_;
  }

 private:
  std::vector<base::SharedBytes>* kept_of(size_t size) {
    return size == usual_size ? &usual_ : size == large_size ? &large_ : nullptr;
  }

  mutable std::mutex mutex_;
  std::vector<base::SharedBytes> usual_;
  std::vector<base::SharedBytes> large_;
  size_t kept_ = 0;  // Bytes.
};

}  // namespace tram::net
