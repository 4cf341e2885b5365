#include "tram/protocols/http/reply_inbox.h"

#include <charconv>

namespace tram::protocols::http {

ReplyInbox::~ReplyInbox() {
  if (subscription_) engine_.drop(subscription_);
}

bool ReplyInbox::open(broker::CallerId caller, broker::Ticket ticket) {
  if (!subscription_) {
    prefix_ = "_INBOX.http." + broker::to_text(shared_.draw_id()) + ".";
    subscription_ = engine_.subscribe(*this, 0, prefix_ + "*", {});
  }
  return engine_.known_everywhere(caller, ticket);
}

std::string ReplyInbox::expect(Waiter& waiter, uint64_t& number) {
  number = ++number_;
  waiters_[number] = &waiter;
  return prefix_ + std::to_string(number);
}

broker::Receipt ReplyInbox::on_message(uint64_t, const broker::Publication& publication) {
  base::BytesView digits = publication.subject.substr(prefix_.size());
  uint64_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return broker::Receipt::taken;
  // A second answer, or one that came too late, finds nobody.
  auto found = waiters_.find(number);
  if (found == waiters_.end()) return broker::Receipt::taken;
  Waiter* waiter = found->second;
  waiters_.erase(found);
  waiter->on_answer(publication);
  return broker::Receipt::taken;
}

}  // namespace tram::protocols::http
