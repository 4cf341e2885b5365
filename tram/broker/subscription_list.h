// The plain subscriptions of one pattern: small for one, quick to leave for many.
//
// Cost: 16 bytes while there is one; joining and leaving are O(1), also among 100,000. The
// order is that of joining until somebody leaves; then the last one takes the gap.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <span>
#include <vector>

#include "tram/broker/identity.h"

namespace tram::broker {

class SubscriptionList {
 public:
  bool empty() const { return !one_ && !many_; }
  // Valid until the list changes.
  std::span<const SubscriptionId> ids() const {
    if (many_) return many_->ids;
    return {&one_, one_ ? 1u : 0u};
  }
  void add(SubscriptionId id);
  // False if it is not there.
  bool remove(SubscriptionId id);

 private:
  // Below this a scan beats keeping an index, and costs no memory.
  static constexpr size_t scan_max = 64;

  struct Many {
    std::vector<SubscriptionId> ids;
    // Where each id stands; empty while there are at most `scan_max`.
    boost::unordered_flat_map<SubscriptionId, uint32_t, base::HashId> places;
  };

  SubscriptionId one_;  // Unused (none) while there is `many_`.
  std::unique_ptr<Many> many_;
};

}  // namespace tram::broker
