#include "tram/protocols/http/subscriptions.h"

#include <algorithm>
#include <fmt/core.h>

#include "tram/broker/subject.h"
#include "tram/protocols/api/json_text.h"
#include "tram/protocols/api/message_json.h"

namespace tram::protocols::http {

Subscriptions::~Subscriptions() {
  for (const Subscription& one : subscriptions_) engine_.drop(one.id);
  for (broker::SubscriptionId id : ended_) engine_.drop(id);
}

base::Result<> Subscriptions::add(BytesView pattern, BytesView group) {
  if (!broker::valid_pattern(pattern)) return base::failure(base::Errc::invalid_subject);
  if (!group.empty() && !broker::valid_tokens(group))
    return base::failure(base::Errc::invalid_argument, "a group's name is written as a subject is");
  if (subscriptions_.size() >= most_)
    return base::failure(base::Errc::limit_reached,
                         fmt::format("{} subscriptions on one connection", most_));
  broker::SubscriptionId id = engine_.subscribe(subscriber_, subscriptions_.size(), pattern, group);
  subscriptions_.push_back({id, std::string(pattern), std::string(group)});
  return {};
}

bool Subscriptions::remove(BytesView pattern, BytesView group) {
  auto found = std::find_if(
      subscriptions_.begin(), subscriptions_.end(),
      [&](const Subscription& one) { return one.pattern == pattern && one.group == group; });
  if (found == subscriptions_.end()) return false;
  engine_.unsubscribe(found->id);
  // A client that comes and goes without end must not grow this without end.
  if (ended_.size() == most_) {
    engine_.drop(ended_.front());
    ended_.erase(ended_.begin());
  }
  ended_.push_back(found->id);
  subscriptions_.erase(found);
  return true;
}

void append_publication_json(std::string& to, const broker::Publication& publication) {
  to += R"({"subject":)";
  api::append_json_string(to, publication.subject);
  to += ',';
  api::append_message_members(to, publication.headers, publication.payload);
  if (!publication.reply_to.empty()) {
    to += R"(,"reply_to":)";
    api::append_json_string(to, publication.reply_to);
  }
  to += '}';
}

}  // namespace tram::protocols::http
