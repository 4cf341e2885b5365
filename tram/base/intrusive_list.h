// A doubly linked list through its elements: no allocation, and an element can leave
// from the middle in constant time. An element is in at most one list per Link base.
//
// Owns: nothing. The list must be empty, or its elements still alive, when it dies.
#pragma once

#include <cstddef>

#include "tram/base/assert.h"

namespace tram::base {

// Derive from Link<Tag> once per kind of list an element can be in.
template <class Tag = void>
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  bool linked() const { return next_ != nullptr; }

 private:
  template <class T, class U>
  friend class IntrusiveList;
  Link* previous_ = nullptr;
  Link* next_ = nullptr;
};

template <class T, class Tag = void>
class IntrusiveList {
 public:
  IntrusiveList() { root_.previous_ = root_.next_ = &root_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() { root_.next_ = nullptr; }

  bool empty() const { return root_.next_ == &root_; }
  T& front() { return *static_cast<T*>(root_.next_); }
  T& back() { return *static_cast<T*>(root_.previous_); }

  void push_back(T& element) { insert(root_.previous_, element, &root_); }
  void push_front(T& element) { insert(&root_, element, root_.next_); }
  void erase(T& element) {
    Link<Tag>& link = element;
    TRAM_ASSERT(link.linked());
    link.previous_->next_ = link.next_;
    link.next_->previous_ = link.previous_;
    link.previous_ = link.next_ = nullptr;
  }
  T& pop_front() {
    T& element = front();
    erase(element);
    return element;
  }
  // nullptr at the end.
  T* next(T& element) {
    Link<Tag>* link = static_cast<Link<Tag>&>(element).next_;
    return link == &root_ ? nullptr : static_cast<T*>(link);
  }
  T* first() { return empty() ? nullptr : &front(); }

 private:
  void insert(Link<Tag>* previous, T& element, Link<Tag>* next) {
    Link<Tag>& link = element;
    TRAM_ASSERT(!link.linked());
    link.previous_ = previous;
    link.next_ = next;
    previous->next_ = next->previous_ = &link;
  }
  Link<Tag> root_;
};

}  // namespace tram::base
