#include "tram/engines/embedded/mailbox_feed.h"

namespace tram::engines::embedded {

void MailboxFeed::open(const broker::MailboxId& mailbox, base::BytesView pattern) {
  uint64_t cookie = by_cookie_.size();
  if (free_cookies_.empty()) {
    by_cookie_.push_back(mailbox);
  } else {
    cookie = free_cookies_.back();
    free_cookies_.pop_back();
    by_cookie_[cookie] = mailbox;
  }
  feeds_[mailbox] = {engine_.subscribe(*this, cookie, pattern, {}), cookie};
}

void MailboxFeed::close(const broker::MailboxId& mailbox) {
  auto found = feeds_.find(mailbox);
  if (found == feeds_.end()) return;
  engine_.drop(found->second.subscription);
  free_cookies_.push_back(found->second.cookie);
  feeds_.erase(found);
}

broker::Receipt MailboxFeed::on_message(uint64_t cookie, const broker::Publication& publication) {
  broker::Command deposit =
      broker::Deposit{by_cookie_[cookie], publication.subject,
                      broker::Content(publication.headers, publication.payload)};
  shard_.apply(deposit, broker::CallerId(), broker::Ticket());
  return broker::Receipt::taken;  // A full mailbox drops and counts; it never holds up a publisher.
}

}  // namespace tram::engines::embedded
