// A slow and obvious broker: the rules of commands/ written as plainly as they can be, over
// vectors that are searched from front to back. What the real one is compared with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tram/broker/broker.h"

namespace tram::test {

class BrokerModel {
 public:
  BrokerModel(uint32_t shard, const broker::Limits& limits) : shard_(shard), limits_(limits) {}

  void apply(const broker::Command& command, broker::CallerId caller, broker::Ticket ticket,
             base::Time now, broker::Effects& effects);
  void advance(base::Time now, broker::Effects& effects);
  base::Time next_deadline() const;
  broker::Totals totals() const;

 private:
  struct Lease {
    broker::LeaseToken token;
    base::Time deadline;
    base::Duration length;
    broker::CallerId bound_to;
  };
  struct Message {
    broker::MessageId id;
    std::string queue;
    broker::Content content;
    base::Time put_at;
    uint32_t attempts = 0;
    bool leased_before = false;
    std::optional<Lease> lease;  // None: it is ready.
  };
  struct Taker {
    broker::CallerId caller;
    broker::Ticket ticket;
    std::string queue;
    uint32_t missing = 0;
    base::Time deadline;
    base::Duration linger, lease;
    bool bound = true, had_some = false;
  };
  struct Queue {
    uint64_t puts = 0, deliveries = 0, redeliveries = 0, acks = 0;
    base::Time used;
  };
  struct Mailbox {
    broker::MailboxId id;
    std::string pattern;
    base::Time fetched;
    std::vector<std::pair<std::string, broker::Content>> messages;
  };
  struct Moment {  // Of the command that is being carried out.
    broker::CallerId caller;
    broker::Ticket ticket;
    base::Time now;
    broker::Effects& effects;
    void reply(broker::Reply answer) {
      effects.replies.push_back({caller, ticket, std::move(answer)});
    }
    void refuse(base::Errc code, std::string detail = {}) {
      reply(base::Error{code, std::move(detail)});
    }
  };

  void run(const broker::Put& put, Moment at);
  void run(const broker::Take& take, Moment at);
  void run(const broker::StopTaking& stop, Moment at);
  void run(const broker::Ack& ack, Moment at);
  void run(const broker::Release& release, Moment at);
  void run(const broker::Extend& extend, Moment at);
  void run(const broker::Depart& depart, Moment at);
  void run(const broker::ListQueues& command, Moment at);
  void run(const broker::ShowQueue& command, Moment at);
  void run(const broker::PurgeQueue& command, Moment at);
  void run(const broker::DeleteQueue& command, Moment at);
  void run(const broker::OpenMailbox& command, Moment at);
  void run(const broker::Deposit& command, Moment at);
  void run(const broker::FetchMailbox& command, Moment at);
  void run(const broker::CloseMailbox& command, Moment at);
  void run(const broker::CheckPending& command, Moment at);

  Message* first_ready(std::string_view queue);
  Message* held(std::string_view queue, broker::MessageId id, broker::LeaseToken token, Moment& at);
  void deliver(Message& message, Taker& taker, base::Time now, broker::Effects& effects);
  void serve(const std::string& queue, base::Time now, broker::Effects& effects);
  void erase(broker::MessageId id);
  uint64_t erase_ready(std::string_view queue);
  uint64_t waiting_on(std::string_view queue) const;
  bool idle(const std::string& queue) const;
  broker::QueueInfo info(const std::string& name, base::Time now) const;
  uint64_t stored_bytes() const;
  uint64_t pending(std::string_view subject) const;
  uint64_t mailbox_bytes() const;
  Mailbox* mailbox(broker::MailboxId id);

  uint32_t shard_;
  broker::Limits limits_;
  uint64_t last_message_ = 0, last_token_ = 0;
  std::vector<Message> messages_;  // In the order of their ids.
  std::vector<Taker> takers_;      // In the order in which they came.
  std::map<std::string, Queue, std::less<>> queues_;
  std::vector<Mailbox> mailboxes_;  // The one not fetched for longest in front.
  broker::Totals counted_;          // Only what counts events; the rest is added up when asked.
};

}  // namespace tram::test
