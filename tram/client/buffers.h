// The two buffers of a connection: bytes to be sent, and bytes received but not yet read.
#pragma once

#include <cstring>
#include <memory>

#include "tram/base/assert.h"
#include "tram/base/bytes.h"

namespace tram::client {

// Bytes between two marks in a block of memory that grows when it has to. Appending moves
// the bytes to the front when that is enough, and pays no initialisation for new memory.
class Buffer {
 public:
  explicit Buffer(size_t capacity = 0) { grow(capacity); }

  base::BytesView view() const { return {data_.get() + begin_, end_ - begin_}; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }

  // Room for `count` more bytes at the returned place; `commit` says how many were written.
  // Views into the buffer end here if it has to move.
  char* room(size_t count) {
    if (capacity_ - end_ < count) make_room(count);
    return data_.get() + end_;
  }
  size_t room_size() const { return capacity_ - end_; }
  void commit(size_t count) {
    TRAM_ASSERT(count <= capacity_ - end_, count, capacity_, end_);
    end_ += count;
  }
  void append(base::BytesView bytes) {
    if (bytes.empty()) return;
    std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  void consume(size_t count) {
    TRAM_ASSERT(count <= size(), count, size());
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() { begin_ = end_ = 0; }

 private:
  void make_room(size_t count) {
    // Move to the front only when that is cheap for what it gains; grow otherwise.
    if (size() + count <= capacity_ && begin_ >= size()) {
      std::memmove(data_.get(), data_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
      return;
    }
    size_t wanted = capacity_ * 2;
    if (wanted < size() + count) wanted = size() + count;
    grow(wanted);
  }
  void grow(size_t capacity) {
    std::unique_ptr<char[]> larger(new char[capacity]);
    if (!empty()) std::memcpy(larger.get(), data_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
    data_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace tram::client
