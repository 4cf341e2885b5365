// Where UnitMemory has its chunks from: 64 KiB each, cut from slabs of 2 MiB.
//
// A system call for each chunk makes the threads of a process wait for each other: while one maps
// or unmaps memory, none of the others can touch a new page. So that happens once in 32 chunks, and
// the pages of a chunk are asked for in one call.
//
// A slab of which nothing is in use goes back to the system, but for one, which is kept.
//
// Threads: any.
#pragma once

#include <cstddef>

namespace tram::work {

class ChunkStore {
 public:
  static constexpr size_t chunk_size = size_t{64} << 10;
  // Of each chunk, which bytes are the store's, also while the chunk is in use.
  static constexpr size_t reserved_from = 64;
  static constexpr size_t reserved_until = 128;

  // Aligned to its size. What it holds is undefined.
  static void* take();
  static void give_back(void* chunk);
  // Slabs that there are now.
  static size_t slabs();
};

}  // namespace tram::work
