// What travels through a pipeline: one item, whatever its type is at the moment, in memory that is
// as large as the largest of them, and used again for the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "tram/base/time.h"
#include "tram/work/scheduler/unit_memory.h"

namespace tram::work {

class Token {
 public:
  static Token& make(size_t item_size) {
    size_t size = sizeof(Token) + item_size;
    return *new (UnitMemory::take(size)) Token(size);
  }
  static void free(Token& token) {
    token.clear();
    size_t size = token.size_;
    token.~Token();
    UnitMemory::give_back(&token, size);
  }

  template <class T>
  T& item() {
    return *std::launder(reinterpret_cast<T*>(this + 1));
  }
  // In place of what it held.
  template <class T, class... Args>
  void put(Args&&... args) {
    static_assert(alignof(T) <= alignof(std::max_align_t),
                  "a pipeline's items cannot have a larger alignment than std::max_align_t");
    clear();
    std::construct_at(reinterpret_cast<T*>(this + 1), std::forward<Args>(args)...);
    if constexpr (!std::is_trivially_destructible_v<T>)
      destroy_ = [](Token& token) { std::destroy_at(&token.item<T>()); };
  }
  // From now on it stands for an item that was dropped: it goes through no stage's body, but those
  // that keep the order have to see that it is not missing.
  void clear() {
    if (destroy_ != nullptr) std::exchange(destroy_, nullptr)(*this);
  }

  Token* next = nullptr;
  uint64_t number = 0;  // In the order of the source, from 0.
  bool dropped = false;
  base::Time arrived;  // At a stage that makes batches.

 private:
  explicit Token(size_t size) : size_(size) {}
  void (*destroy_)(Token&) = nullptr;
  const size_t size_;
};
static_assert(sizeof(Token) % alignof(std::max_align_t) == 0);

class TokenList {
 public:
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }
  Token& front() const { return *first_; }
  void push_back(Token& token) {
    token.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &token;
    last_ = &token;
    ++size_;
  }
  Token& pop_front() {
    Token& token = *first_;
    first_ = token.next;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return token;
  }

 private:
  Token* first_ = nullptr;
  Token* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tram::work
