// A queue whose ends are worked at by two threads at the same time: one that puts in, one that
// takes out. In one block of memory, which doubles up to what was asked for.
//
//   front end: takes out        back end: puts in       whoever holds both: everything
//        │ front_                    │ back_
//   ─ ─ ─┌──┬──┬──┬──┬──┬──┬──┬──┬──┐─ ─ ─     each end looks at the other's place only when it
//        └──┴──┴──┴──┴──┴──┴──┴──┴──┘          seems to be empty, or full: so the two processors
//                                              seldom wait for each other's cache
//
// Threads: one at a time at each end, unless it says otherwise.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace tram::work {

template <class T>
class TwoEndedRing {
 public:
  TwoEndedRing() = default;
  TwoEndedRing(const TwoEndedRing&) = delete;
  TwoEndedRing& operator=(const TwoEndedRing&) = delete;
  ~TwoEndedRing() {
    while (pop()) {
    }
  }

  // -- The back end.
  // Moves as many as it can; fewer than all if there are `most` in it, or its memory is full.
  size_t push_some(std::span<T> values, size_t most) {
    const size_t end = back_.load(std::memory_order_relaxed);
    const size_t room_max = std::min(most, places_);
    if (end - front_seen_ + values.size() > room_max)
      front_seen_ = front_.load(std::memory_order_acquire);
    const size_t held = end - front_seen_;
    const size_t count = held < room_max ? std::min(values.size(), room_max - held) : 0;
    for (size_t i = 0; i < count; ++i) {
      std::construct_at(at(end + i), std::move(values[i]));
      if constexpr (!std::is_nothrow_move_constructible_v<T>)
        back_.store(end + i + 1, std::memory_order_release);
    }
    if (count > 0) back_.store(end + count, std::memory_order_release);
    return count;
  }
  bool push(T& value, size_t most) { return push_some(std::span<T>(&value, 1), most) == 1; }

  // -- The front end.
  std::optional<T> pop() {
    std::optional<T> value;
    const size_t first = front_.load(std::memory_order_relaxed);
    if (back_seen_ == first) back_seen_ = back_.load(std::memory_order_acquire);
    if (back_seen_ == first) return value;
    T* place = at(first);
    value.emplace(std::move(*place));
    std::destroy_at(place);
    front_.store(first + 1, std::memory_order_release);
    return value;
  }
  // At the end of `values`, until that holds `most`.
  void pop_some(std::vector<T>& values, size_t most) {
    size_t first = front_.load(std::memory_order_relaxed);
    back_seen_ = back_.load(std::memory_order_acquire);
    if (back_seen_ == first || values.size() >= most) return;
    const size_t count = std::min(back_seen_ - first, most - values.size());
    values.reserve(values.size() + count);
    for (size_t i = 0; i < count; ++i, ++first) {
      T* place = at(first);
      values.push_back(std::move(*place));
      std::destroy_at(place);
      if constexpr (!std::is_nothrow_move_constructible_v<T>)
        front_.store(first + 1, std::memory_order_release);
    }
    front_.store(first, std::memory_order_release);
  }

  // -- Both ends.
  size_t size() const {
    return back_.load(std::memory_order_relaxed) - front_.load(std::memory_order_relaxed);
  }
  bool empty() const { return size() == 0; }
  void push_back(T&& value) {
    if (size() == places_) grow();
    push(value, places_);
  }
  void push_front(T&& value) {
    if (size() == places_) grow();
    const size_t first = front_.load(std::memory_order_relaxed) - 1;
    std::construct_at(at(first), std::move(value));
    front_.store(first, std::memory_order_release);
    front_seen_ = first;
  }
  // For one that nobody else knows yet.
  void swap(TwoEndedRing& other) noexcept {
    auto exchange = [](std::atomic<size_t>& a, std::atomic<size_t>& b) {
      const size_t was = a.load(std::memory_order_relaxed);
      a.store(b.load(std::memory_order_relaxed), std::memory_order_release);
      b.store(was, std::memory_order_release);
    };
    exchange(front_, other.front_);
    exchange(back_, other.back_);
    std::swap(front_seen_, other.front_seen_);
    std::swap(back_seen_, other.back_seen_);
    std::swap(memory_, other.memory_);
    std::swap(places_, other.places_);
  }

  // -- Any thread. Places only grow, except by push_front() and swap().
  size_t front_place() const { return front_.load(std::memory_order_acquire); }
  // If that is its front: it is empty. As it was all the time between two calls that said so.
  bool ends_at(size_t place) const { return back_.load(std::memory_order_acquire) == place; }
  bool looks_full(size_t most) const {
    const size_t end = back_.load(std::memory_order_acquire);
    return end - front_.load(std::memory_order_acquire) >= most;
  }

 private:
  struct Free {
    size_t count = 0;
    void operator()(T* memory) const { std::allocator<T>().deallocate(memory, count); }
  };
  T* at(size_t index) const { return memory_.get() + (index & (places_ - 1)); }
  void grow() {
    const size_t larger = places_ == 0 ? 8 : 2 * places_;
    std::unique_ptr<T, Free> memory(std::allocator<T>().allocate(larger), Free{larger});
    const size_t first = front_.load(std::memory_order_relaxed), held = size();
    for (size_t i = first; i != first + held; ++i) {
      std::construct_at(memory.get() + (i & (larger - 1)), std::move(*at(i)));
      std::destroy_at(at(i));
    }
    memory_ = std::move(memory);
    places_ = larger;
  }

  // What each end writes has a line of its own.
  static constexpr size_t line_size = 64;
  alignas(line_size) std::atomic<size_t> back_ = 0;
  alignas(line_size) std::atomic<size_t> front_ = 0;
  alignas(line_size) size_t front_seen_ = 0;  // By the back end.
  alignas(line_size) size_t back_seen_ = 0;   // By the front end.
  // Changed by who holds both ends only.
  alignas(line_size) std::unique_ptr<T, Free> memory_;
  size_t places_ = 0;  // A power of two, or zero.
};

}  // namespace tram::work
