// Feeds mailboxes: each is, to the router, one more subscription, and to the shard that keeps
// it, somewhere to deposit.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <vector>

#include "tram/broker/engine.h"
#include "tram/engines/embedded/shard.h"

namespace tram::engines::embedded {

class MailboxFeed final : public broker::Subscriber {
 public:
  MailboxFeed(broker::Engine& engine, Shard& shard) : engine_(engine), shard_(shard) {}

  // The mailbox exists in the shard: from now on it is fed.
  void open(const broker::MailboxId& mailbox, base::BytesView pattern);
  // It does not any more. Nothing happens if it was not fed.
  void close(const broker::MailboxId& mailbox);

 private:
  struct Feed {
    broker::SubscriptionId subscription;
    uint64_t cookie = 0;
  };
  broker::Receipt on_message(uint64_t cookie, const broker::Publication& publication) override;

  broker::Engine& engine_;
  Shard& shard_;
  boost::unordered_flat_map<broker::MailboxId, Feed, broker::HashMailboxId> feeds_;
  std::vector<broker::MailboxId> by_cookie_;
  std::vector<uint64_t> free_cookies_;
};

}  // namespace tram::engines::embedded
