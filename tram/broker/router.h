// Who gets a live message? The subscription table of one loop.
//
// Patterns without wildcards are found by one look-up; the others by a walk over the subject's
// tokens. A group gets a message once, however many of its members' patterns match: its members
// take turns. Group names are one name space per subject: a group "g" on a.* and on a.x is one
// group for a message on a.x. The member who was served longest ago is next, over all patterns.
//
// Cost: a literal subject, one hash and one look-up, also among 100,000 (about 10 ns); 32 bytes
// and its text for each pattern with one subscription. Patterns with wildcards are walked only
// if there are any (some 10 ns a token): at worst linear in their number, whatever the subject
// (pattern_trie.h). Subscribing and unsubscribing are O(1), also among 10,000 on one subject;
// only memory for the first 16 tokens of a wildcard pattern is taken.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "tram/broker/identity.h"
#include "tram/broker/subject.h"

namespace tram::broker {

class Router {
 public:
  Router();
  ~Router();

  // `pattern` must be valid; `group` is empty for a plain subscription. An id is used once.
  void subscribe(SubscriptionId id, BytesView pattern, BytesView group);
  // With the pattern and group it was made with. False if there is no such subscription.
  bool unsubscribe(SubscriptionId id, BytesView pattern, BytesView group);

  // Everyone that a message on `subject`, which must be valid, goes to: all plain subscriptions
  // and one member of each group. Valid until the next call of any method. Allocates nothing
  // once warm.
  std::span<const SubscriptionId> route(BytesView subject);
  // The same, but a group passes over the members that `passed_over` names and serves another,
  // or nobody if it has no other. Plain subscriptions are not asked about. Members passed over
  // keep their place in line, so this walks past all of them.
  using PassedOver = std::function<bool(SubscriptionId)>;
  std::span<const SubscriptionId> route(BytesView subject, const PassedOver& passed_over);

  size_t size() const;

 private:
  struct Table;
  std::span<const SubscriptionId> receivers(BytesView subject, const PassedOver* passed_over);
  std::unique_ptr<Table> table_;
};

}  // namespace tram::broker
