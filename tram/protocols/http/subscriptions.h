// The live subscriptions of one stream: made, ended, and gone with it.
//
// Messages come to the engine's subscriber that is given; cookies are places in this list.
#pragma once

#include <string>
#include <vector>

#include "tram/base/result.h"
#include "tram/broker/engine.h"

namespace tram::protocols::http {

using base::BytesView;

class Subscriptions {
 public:
  Subscriptions(broker::Engine& engine, broker::Subscriber& subscriber, size_t most)
      : engine_(engine), subscriber_(subscriber), most_(most) {}
  ~Subscriptions();

  // Errors: invalid_subject; invalid_argument, for the group; limit_reached.
  base::Result<> add(BytesView pattern, BytesView group);
  // Ends one with that pattern and group. False if there is none.
  bool remove(BytesView pattern, BytesView group);
  size_t size() const { return subscriptions_.size(); }

 private:
  struct Subscription {
    broker::SubscriptionId id;
    std::string pattern;
    std::string group;
  };
  broker::Engine& engine_;
  broker::Subscriber& subscriber_;
  const size_t most_;
  std::vector<Subscription> subscriptions_;
  std::vector<broker::SubscriptionId> ended_;  // Some message may still be on its way to them.
};

// {"subject":"orders.eu","data":"...","headers":{...},"reply_to":"..."}
void append_publication_json(std::string& to, const broker::Publication& publication);

}  // namespace tram::protocols::http
