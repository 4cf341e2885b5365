// A queue in one block of memory that doubles when it is full, and is never made smaller: what puts
// a limit on it is whoever uses it.
//
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace tram::work {

template <class T>
class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { clear(); }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  T& front() { return *at(first_); }

  template <class... Args>
  T& emplace_back(Args&&... args) {
    if (size_ == capacity_) grow();
    T* place = at(first_ + size_);
    std::construct_at(place, std::forward<Args>(args)...);
    ++size_;
    return *place;
  }
  void push_back(T value) { emplace_back(std::move(value)); }
  void push_front(T value) {
    if (size_ == capacity_) grow();
    std::construct_at(at(first_ - 1), std::move(value));
    --first_;
    ++size_;
  }
  T pop_front() {
    T* place = at(first_);
    T value = std::move(*place);
    std::destroy_at(place);
    ++first_;
    --size_;
    return value;
  }
  void swap(Ring& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(capacity_, other.capacity_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }
  void clear() {
    while (size_ > 0) pop_front();
  }

 private:
  T* at(size_t index) const { return memory_.get() + (index & (capacity_ - 1)); }
  void grow() {
    size_t larger = capacity_ == 0 ? 8 : 2 * capacity_;
    std::unique_ptr<T, Free> memory(std::allocator<T>().allocate(larger), Free{larger});
    for (size_t i = 0; i < size_; ++i) {
      std::construct_at(memory.get() + i, std::move(*at(first_ + i)));
      std::destroy_at(at(first_ + i));
    }
    memory_ = std::move(memory);
    capacity_ = larger;
    first_ = 0;
  }
  struct Free {
    size_t count = 0;
    void operator()(T* memory) const { std::allocator<T>().deallocate(memory, count); }
  };

  std::unique_ptr<T, Free> memory_;
  size_t capacity_ = 0;  // A power of two, or zero.
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace tram::work
