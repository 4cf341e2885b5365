// A binary heap whose elements know their place, so that any of them can leave from the
// middle, or change its key, in O(log n).
//
// Owns: nothing. `Less` orders elements; the least is on top. Elements derive from
// HeapPlace<Tag>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tram/base/assert.h"

namespace tram::base {

template <class Tag = void>
class HeapPlace {
 public:
  bool in_heap() const { return place_ != absent; }

 private:
  template <class T, class Less, class U>
  friend class Heap;
  static constexpr size_t absent = SIZE_MAX;
  size_t place_ = absent;
};

template <class T, class Less, class Tag = void>
class Heap {
 public:
  bool empty() const { return elements_.empty(); }
  size_t size() const { return elements_.size(); }
  T& top() const { return *elements_.front(); }

  void push(T& element) {
    TRAM_ASSERT(!place(element).in_heap());
    elements_.push_back(&element);
    place(element).place_ = elements_.size() - 1;
    rise(elements_.size() - 1);
  }
  T& pop() {
    T& element = top();
    erase(element);
    return element;
  }
  void erase(T& element) {
    size_t hole = place(element).place_;
    TRAM_ASSERT(hole < elements_.size() && elements_[hole] == &element);
    place(element).place_ = HeapPlace<Tag>::absent;
    T* last = elements_.back();
    elements_.pop_back();
    if (last != &element) {
      put(hole, last);
      settle(hole);
    }
    // Given back when nearly empty, so that one burst does not keep memory for ever.
    if (elements_.capacity() > 64 && elements_.size() < elements_.capacity() / 8)
      elements_.shrink_to_fit();
  }
  // Call after the key of an element in the heap has changed.
  void moved(T& element) { settle(place(element).place_); }

 private:
  static HeapPlace<Tag>& place(T& element) { return element; }
  void put(size_t index, T* element) {
    elements_[index] = element;
    place(*element).place_ = index;
  }
  void settle(size_t index) {
    rise(index);
    sink(index);
  }
  void rise(size_t index) {
    T* element = elements_[index];
    while (index > 0) {
      size_t parent = (index - 1) / 2;
      if (!less_(*element, *elements_[parent])) break;
      put(index, elements_[parent]);
      index = parent;
    }
    put(index, element);
  }
  void sink(size_t index) {
    T* element = elements_[index];
    for (;;) {
      size_t child = 2 * index + 1;
      if (child >= elements_.size()) break;
      if (child + 1 < elements_.size() && less_(*elements_[child + 1], *elements_[child])) ++child;
      if (!less_(*elements_[child], *element)) break;
      put(index, elements_[child]);
      index = child;
    }
    put(index, element);
  }

  std::vector<T*> elements_;
  [[no_unique_address]] Less less_;
};

}  // namespace tram::base
