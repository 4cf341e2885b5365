// What belongs to each caller, so that a caller's departure finds it: lists by caller.
//
// Owns: nothing of what is in the lists. A caller with nothing costs nothing.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>

#include "tram/base/intrusive_list.h"
#include "tram/broker/identity.h"

namespace tram::broker {

// T derives from base::Link<Tag>.
template <class T, class Tag>
class ByCaller {
 public:
  void add(CallerId caller, T& element) {
    auto& list = lists_[caller];
    if (!list) list = std::make_unique<List>();
    list->push_back(element);
  }
  void remove(CallerId caller, T& element) {
    auto found = lists_.find(caller);
    TRAM_ASSERT(found != lists_.end(), caller.value);
    found->second->erase(element);
    if (found->second->empty()) lists_.erase(found);
  }
  // The one that was added first; nullptr if there is none.
  T* first(CallerId caller) const {
    auto found = lists_.find(caller);
    return found == lists_.end() ? nullptr : found->second->first();
  }
  // The one that was added after `element`; nullptr if that was the last.
  T* next(CallerId caller, T& element) const {
    auto found = lists_.find(caller);
    return found == lists_.end() ? nullptr : found->second->next(element);
  }
  size_t callers() const { return lists_.size(); }

 private:
  using List = base::IntrusiveList<T, Tag>;
  boost::unordered_flat_map<CallerId, std::unique_ptr<List>, base::HashId> lists_;
};

}  // namespace tram::broker
