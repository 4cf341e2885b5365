#include "tram/net/outbox.h"

#include <algorithm>

#include "tram/base/assert.h"

namespace tram::net {

char* Outbox::add_chunk(size_t least) {
  // The first chunk is small: most turns bring a connection a few messages. More than that
  // fits, and the next is large.
  size_t size = pieces_.empty() ? ChunkPool::small_size : ChunkPool::large_size;
  if (least > size) size = std::max(least, ChunkPool::large_size);
  Piece& piece = pieces_.emplace_back();
  piece.chunk = pool_.take(size);
  piece.data = piece.chunk.get();
  piece.capacity = static_cast<uint32_t>(size);
  return piece.chunk.get();
}

void Outbox::append_shared(const SharedBytes& owner, BytesView bytes) {
  if (bytes.empty()) return;
  TRAM_ASSERT(bytes.size() < UINT32_MAX, bytes.size());
  Piece& piece = pieces_.emplace_back();
  piece.shared = owner;
  piece.data = bytes.data();
  piece.end = static_cast<uint32_t>(bytes.size());
  size_ += bytes.size();
  recount();
}

size_t Outbox::gather(Span* spans, size_t most) const {
  size_t count = 0;
  for (size_t i = first_; i < pieces_.size() && count < most; ++i) {
    const Piece& piece = pieces_[i];
    if (piece.end > piece.begin)
      spans[count++] = {piece.data + piece.begin, piece.end - piece.begin};
  }
  return count;
}

void Outbox::consume(size_t count) {
  TRAM_ASSERT(count <= size_, count, size_);
  size_ -= count;
  while (count > 0) {
    Piece& piece = pieces_[first_];
    size_t step = std::min<size_t>(count, piece.end - piece.begin);
    piece.begin += static_cast<uint32_t>(step);
    count -= step;
    if (piece.begin == piece.end) drop_first();
  }
  if (size_ == 0)
    clear();
  else
    recount();
}

void Outbox::drop_first() {
  Piece& piece = pieces_[first_++];
  if (piece.chunk) pool_.give_back(std::move(piece.chunk), piece.capacity);
  piece.shared = SharedBytes();
  // A long queue that never empties must not keep its written past.
  if (first_ >= 64 && first_ * 2 >= pieces_.size()) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + first_);
    first_ = 0;
  }
}

void Outbox::clear() {
  while (first_ < pieces_.size()) drop_first();
  pieces_.clear();
  if (pieces_.capacity() > 4) pieces_.shrink_to_fit();
  first_ = 0;
  size_ = 0;
  recount();
}

}  // namespace tram::net
