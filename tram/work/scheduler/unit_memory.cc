#include "tram/work/scheduler/unit_memory.h"

#include <atomic>
#include <cstdint>
#include <new>

#include "tram/work/scheduler/chunk_store.h"

namespace tram::work {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t block_size_max = 0;
#else
constexpr size_t block_size_max = 4096;
#endif
constexpr size_t chunk_size = ChunkStore::chunk_size;
constexpr size_t alignment = alignof(std::max_align_t);
// More blocks than a chunk can hold: what an unfinished chunk counts as in use beyond its blocks,
// so that it cannot reach zero before its thread has finished cutting it.
constexpr int64_t uncut = int64_t{1} << 32;

struct Chunk {
  std::atomic<int64_t> in_use = uncut;
};
static_assert(sizeof(Chunk) <= ChunkStore::reserved_from);

// Chunks that a thread keeps to use again, rather than take the lock of the store.
constexpr size_t spare_chunks_max = 16;

Chunk& chunk_of(void* block) {
  return *reinterpret_cast<Chunk*>(reinterpret_cast<uintptr_t>(block) & ~(chunk_size - 1));
}

class Cutter {
 public:
  ~Cutter() {
    settle();
    finish_chunk();
    while (spare_count_ > 0) ChunkStore::give_back(spare_[--spare_count_]);
  }
  void* cut(size_t size) {
    size = (size + alignment - 1) & ~(alignment - 1);
    if (chunk_ == nullptr || place_ + size > chunk_size) {
      finish_chunk();
      chunk_ = new (memory_for_chunk()) Chunk;
      place_ = ChunkStore::reserved_until;
    }
    void* block = reinterpret_cast<char*>(chunk_) + place_;
    place_ += size;
    ++cut_;
    return block;
  }
  void count(Chunk& chunk) {
    if (&chunk != returned_to_) {
      settle();
      returned_to_ = &chunk;
    }
    ++returned_;
  }
  void settle() {
    if (returned_to_ != nullptr) release(*returned_to_, returned_);
    returned_to_ = nullptr;
    returned_ = 0;
  }

 private:
  void* memory_for_chunk() {
    return spare_count_ > 0 ? spare_[--spare_count_] : ChunkStore::take();
  }
  void release(Chunk& chunk, int64_t blocks) {
    if (chunk.in_use.fetch_sub(blocks, std::memory_order_acq_rel) != blocks) return;
    chunk.~Chunk();
    if (spare_count_ < spare_chunks_max)
      spare_[spare_count_++] = &chunk;
    else
      ChunkStore::give_back(&chunk);
  }
  void finish_chunk() {
    if (chunk_ == nullptr) return;
    // Zero blocks were counted while it was cut: now say how many there were.
    release(*chunk_, uncut - cut_);
    chunk_ = nullptr;
    cut_ = 0;
  }

  Chunk* chunk_ = nullptr;
  size_t place_ = 0;
  int64_t cut_ = 0;
  Chunk* returned_to_ = nullptr;
  int64_t returned_ = 0;
  void* spare_[spare_chunks_max];
  size_t spare_count_ = 0;
};

thread_local Cutter cutter;

}  // namespace

void* UnitMemory::take(size_t size) {
  return size > block_size_max ? ::operator new(size) : cutter.cut(size);
}

void UnitMemory::give_back(void* block, size_t size) {
  if (size > block_size_max)
    ::operator delete(block, size);
  else
    cutter.count(chunk_of(block));
}

void UnitMemory::settle() { cutter.settle(); }

}  // namespace tram::work
