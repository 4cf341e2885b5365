#include "tram/work/scheduler/chunk_store.h"

#include <bit>
#include <cstdint>
#include <mutex>
#include <new>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "tram/base/intrusive_list.h"

namespace tram::work {
namespace {

constexpr size_t chunks_in_slab = 32;
constexpr size_t slab_size = chunks_in_slab * ChunkStore::chunk_size;
constexpr uint32_t all_free = ~uint32_t{0};

// The pages of a chunk, all at once, rather than by a fault for each. Where the system cannot, that
// is what happens. (Pages of 2 MiB were tried, and were no clear gain: docs/decisions/0047.)
void make_pages([[maybe_unused]] void* chunk) {
#ifdef MADV_POPULATE_WRITE
  ::madvise(chunk, ChunkStore::chunk_size, MADV_POPULATE_WRITE);
#endif
}

// Lives in what the store has of the slab's first chunk.
struct Slab : base::Link<Slab> {
  // A bit for each chunk.
  uint32_t free = all_free;
  uint32_t has_pages = 0;
};
static_assert(sizeof(Slab) <= ChunkStore::reserved_until - ChunkStore::reserved_from);

class Store {
 public:
  void* take() {
    std::unique_lock lock(mutex_);
    if (with_free_.empty()) with_free_.push_front(make_slab());
    Slab& slab = with_free_.front();
    if (slab.free == all_free) --unused_;
    auto index = static_cast<size_t>(std::countr_zero(slab.free));
    slab.free &= slab.free - 1;
    if (slab.free == 0) with_free_.erase(slab);
    char* chunk = memory_of(slab) + index * ChunkStore::chunk_size;
    const uint32_t bit = uint32_t{1} << index;
    // Not of the first slab: a small program uses little of each thread's chunk.
    const bool without_pages = slabs_ > 1 && (slab.has_pages & bit) == 0;
    slab.has_pages |= bit;
    lock.unlock();
    if (without_pages) make_pages(chunk);
    return chunk;
  }
  void give_back(void* chunk) {
    std::lock_guard lock(mutex_);
    auto address = reinterpret_cast<uintptr_t>(chunk);
    auto& slab = *reinterpret_cast<Slab*>((address & ~(slab_size - 1)) + ChunkStore::reserved_from);
    if (slab.free == 0) with_free_.push_front(slab);
    slab.free |= uint32_t{1} << (address % slab_size / ChunkStore::chunk_size);
    if (slab.free == all_free && ++unused_ > 1) destroy(slab);
  }
  size_t slabs() {
    std::lock_guard lock(mutex_);
    return slabs_;
  }

 private:
  static char* memory_of(Slab& slab) {
    return reinterpret_cast<char*>(&slab) - ChunkStore::reserved_from;
  }
  Slab& make_slab() {
    void* memory = ::operator new(slab_size, std::align_val_t{slab_size});
    ++slabs_;
    ++unused_;
    return *new (static_cast<char*>(memory) + ChunkStore::reserved_from) Slab;
  }
  void destroy(Slab& slab) {
    with_free_.erase(slab);
    char* memory = memory_of(slab);
    slab.~Slab();
    ::operator delete(memory, std::align_val_t{slab_size});
    --slabs_;
    --unused_;
  }

  std::mutex mutex_;
  // Guarded by mutex_.
  base::IntrusiveList<Slab, Slab> with_free_;
  size_t slabs_ = 0;
  size_t unused_ = 0;  // Of which nothing is in use.
};

// Never destroyed: threads that end after main() give their chunks back too.
Store& store() {
  alignas(Store) static std::byte memory[sizeof(Store)];
  static Store& only = *new (memory) Store;
  return only;
}

}  // namespace

void* ChunkStore::take() { return store().take(); }
void ChunkStore::give_back(void* chunk) { store().give_back(chunk); }
size_t ChunkStore::slabs() { return store().slabs(); }

}  // namespace tram::work
