// Immutable bytes shared by count: one allocation, one pointer, no weak references.
//
// Threads: the count is atomic, so copies may live on several threads; the bytes are
// written (through `mutable_data`) only before the first copy is made.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "tram/base/bytes.h"

namespace tram::base {

class SharedBytes {
 public:
  SharedBytes() = default;

  // Room for `size` bytes, uninitialised: pages that are never written cost nothing.
  static SharedBytes with_size(size_t size) {
    void* memory = ::operator new(sizeof(Block) + size);
    return SharedBytes(new (memory) Block{{1}, size});
  }
  static SharedBytes copy_of(BytesView bytes) {
    SharedBytes shared = with_size(bytes.size());
    if (!bytes.empty()) std::memcpy(shared.mutable_data(), bytes.data(), bytes.size());
    return shared;
  }

  SharedBytes(const SharedBytes& other) : block_(other.block_) {
    if (block_) block_->count.fetch_add(1, std::memory_order_relaxed);
  }
  SharedBytes(SharedBytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedBytes() {
    if (block_ && block_->count.fetch_sub(1, std::memory_order_acq_rel) == 1)
      ::operator delete(block_);
  }

  explicit operator bool() const { return block_ != nullptr; }
  size_t size() const { return block_ ? block_->size : 0; }
  BytesView view() const { return block_ ? BytesView(data(), block_->size) : BytesView(); }
  // No other copy is left: who holds it may write to it again.
  bool held_once() const { return block_ && block_->count.load(std::memory_order_acquire) == 1; }
  char* mutable_data() { return reinterpret_cast<char*>(block_ + 1); }

 private:
  struct Block {
    std::atomic<uint32_t> count;
    size_t size;
  };
  explicit SharedBytes(Block* block) : block_(block) {}
  const char* data() const { return reinterpret_cast<const char*>(block_ + 1); }

  Block* block_ = nullptr;
};

}  // namespace tram::base
