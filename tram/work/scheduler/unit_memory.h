// Memory of units: taken by moving a pointer, given back in bulk.
//
// Each thread cuts its blocks from a chunk of its own. A chunk counts what of it is still in use;
// the last block given back, by whichever thread, frees it. A thread that gives back many blocks of
// one chunk in a row counts them by itself first and tells the chunk once. So a unit costs a few
// nanoseconds and no lock, and a million of them that end give their memory back to the system, but
// for a megabyte that each thread keeps to use again (see chunk_store.h for whole slabs).
//
// A block that lives on keeps its chunk of 64 KiB with it. Larger blocks than 4 KiB come from the
// C++ heap; under AddressSanitizer all do, so that it sees what is used after its end.
#pragma once

#include <cstddef>

namespace tram::work {

class UnitMemory {
 public:
  // Aligned as std::max_align_t. Any thread.
  static void* take(size_t size);
  // `size` as it was taken. Any thread.
  static void give_back(void* block, size_t size);
  // Tells the chunks what this thread has counted by itself. Called before a thread sleeps or ends.
  static void settle();
};

}  // namespace tram::work
