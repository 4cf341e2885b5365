// Bytes waiting to be written to one connection.
//
// Small pieces are copied into chunks; large ones are kept by reference and written with a
// gathered write. Where one ends and the other begins was measured: docs/benchmarks.md.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "tram/base/bytes.h"
#include "tram/base/shared_bytes.h"
#include "tram/net/chunk_pool.h"

namespace tram::net {

using base::BytesView;
using base::SharedBytes;

// Payloads from this size on are shared, not copied.
constexpr size_t share_size_min = 4096;

class Outbox {
 public:
  explicit Outbox(ChunkPool& pool) : pool_(pool) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() { clear(); }

  // What one connection counts for, at most, in ChunkPool::waiting: one that has stopped reading
  // must not make all others look slow.
  static constexpr size_t counted_max = size_t{1} << 20;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Room for `most` bytes in one piece; write there, then say with `commit` how many there are.
  char* reserve(size_t most) {
    if (!pieces_.empty()) {
      Piece& last = pieces_.back();
      if (last.chunk && last.capacity - last.end >= most) return last.chunk.get() + last.end;
    }
    return add_chunk(most);
  }
  void commit(size_t written) {
    pieces_.back().end += static_cast<uint32_t>(written);
    size_ += written;
    recount();
  }
  void append(BytesView bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    commit(bytes.size());
  }
  // `bytes` must lie in `owner`.
  void append_shared(const SharedBytes& owner, BytesView bytes);

  // What to write next, in order: up to `most` pieces. Returns how many there are.
  struct Span {
    const char* data;
    size_t size;
  };
  size_t gather(Span* spans, size_t most) const;
  // The first `count` bytes have been written.
  void consume(size_t count);
  void clear();

 private:
  struct Piece {
    std::unique_ptr<char[]> chunk;  // Either this,
    SharedBytes shared;             // or this.
    const char* data = nullptr;     // Where the bytes are.
    uint32_t begin = 0;             // Written up to here.
    uint32_t end = 0;               // Filled up to here.
    uint32_t capacity = 0;          // Of the chunk.
  };
  void recount() {
    size_t counted = size_ < counted_max ? size_ : counted_max;
    pool_.count_waiting(counted - counted_);
    counted_ = counted;
  }
  char* add_chunk(size_t least);
  void drop_first();

  ChunkPool& pool_;
  std::vector<Piece> pieces_;
  uint32_t first_ = 0;  // Pieces before it are gone.
  size_t size_ = 0;
  size_t counted_ = 0;  // Our part of ChunkPool::waiting.
};

}  // namespace tram::net
