#include "tram/broker/subscription_list.h"

#include <algorithm>

namespace tram::broker {

void SubscriptionList::add(SubscriptionId id) {
  if (empty()) {
    one_ = id;
    return;
  }
  if (!many_) {
    many_ = std::make_unique<Many>();
    many_->ids.push_back(std::exchange(one_, {}));
  }
  auto& [ids, places] = *many_;
  ids.push_back(id);
  if (!places.empty()) {
    places.emplace(id, static_cast<uint32_t>(ids.size() - 1));
  } else if (ids.size() > scan_max) {
    for (size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], static_cast<uint32_t>(i));
  }
}

bool SubscriptionList::remove(SubscriptionId id) {
  if (!many_) {
    if (!id || one_ != id) return false;
    one_ = {};
    return true;
  }
  auto& [ids, places] = *many_;
  size_t place = 0;
  if (places.empty()) {
    place = static_cast<size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
    if (place == ids.size()) return false;
  } else {
    auto found = places.find(id);
    if (found == places.end()) return false;
    place = found->second;
    places.erase(found);
  }
  SubscriptionId last = ids.back();
  ids.pop_back();
  if (place < ids.size()) {
    ids[place] = last;
    if (!places.empty()) places[last] = static_cast<uint32_t>(place);
  }
  // Half of what made the index, so that one subscription coming and going does not build it
  // again each time.
  if (!places.empty() && ids.size() <= scan_max / 2) places = {};
  if (ids.size() == 1) {
    one_ = ids.front();
    many_.reset();
  } else if (ids.capacity() > scan_max && ids.size() < ids.capacity() / 8) {
    ids.shrink_to_fit();
  }
  return true;
}

}  // namespace tram::broker
