// An engine for the tests and fuzzers of doors: the real state machine and router behind the
// doors' interface, for one loop, with nothing put off.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tram/base/clock.h"
#include "tram/broker/broker.h"
#include "tram/broker/engine.h"
#include "tram/broker/router.h"

namespace tram::protocols::testing {

// Wound by hand.
class ManualClock final : public base::Clock {
 public:
  base::Time now() const override { return now_; }
  int64_t wall_nanoseconds() const override { return 1'793'610'000'000'000'000; }
  void advance(base::Duration by) { now_ = now_ + by; }

 private:
  base::Time now_ = base::Time() + std::chrono::hours(1);
};

class LocalEngine final : public broker::Engine {
 public:
  explicit LocalEngine(const ManualClock& clock, const broker::Limits& limits = {})
      : clock_(clock), broker_(0, limits) {}

  base::Time now() const override { return clock_.now(); }

  Reach publish(const broker::Publication& publication,
                const broker::Subscriber* except = nullptr) override {
    auto targets = router_.route(publication.subject, [&](broker::SubscriptionId member) {
      return except != nullptr && subscriptions_.at(member.value).subscriber == except;
    });
    Reach reach;
    bool all_behind = !targets.empty();
    for (broker::SubscriptionId id : std::vector(targets.begin(), targets.end())) {
      Subscription& one = subscriptions_.at(id.value);
      if (one.mailbox) {
        deposit(*one.mailbox, publication);
        all_behind = false;
      } else if (one.subscriber == except) {
        continue;
      } else if (deliver(id, one, publication)) {
        all_behind = false;
      }
      ++reach.receivers;
    }
    reach.hold_back = all_behind;
    return reach;
  }

  bool publish_to(const broker::Subscriber& only, const broker::Publication& publication) override {
    auto targets = router_.route(publication.subject);
    bool found = false;
    for (broker::SubscriptionId id : std::vector(targets.begin(), targets.end())) {
      Subscription& one = subscriptions_.at(id.value);
      if (one.subscriber != &only) continue;
      deliver(id, one, publication);
      found = true;
    }
    return found;
  }

  broker::SubscriptionId subscribe(broker::Subscriber& subscriber, uint64_t cookie,
                                   broker::BytesView pattern, broker::BytesView group) override {
    return add({&subscriber, cookie, std::string(pattern), std::string(group), {}});
  }
  void unsubscribe(broker::SubscriptionId id) override { drop(id); }
  void drop(broker::SubscriptionId id) override {
    auto found = subscriptions_.find(id.value);
    if (found == subscriptions_.end()) return;
    router_.unsubscribe(id, found->second.pattern, found->second.group);
    subscriptions_.erase(found);
  }
  bool known_everywhere(broker::CallerId, broker::Ticket) override { return true; }

  broker::CallerId enrol(broker::Caller& caller) override {
    callers_[++last_caller_] = &caller;
    return {last_caller_};
  }
  void depart(broker::CallerId id) override {
    callers_.erase(id.value);
    broker::Command gone = broker::Depart{};
    apply(gone, id, {});
  }

  void submit(broker::CallerId caller, broker::Ticket ticket, broker::Command command) override {
    if (auto* open = std::get_if<broker::OpenMailbox>(&command)) {
      broker::MailboxId id = open->mailbox;
      mailboxes_[id] = add({nullptr, 0, std::string(open->pattern), {}, id});
    } else if (auto* close = std::get_if<broker::CloseMailbox>(&command)) {
      end_mailbox(close->mailbox);
    }
    apply(command, caller, ticket);
  }

  void publish_checked(broker::CallerId caller, broker::Ticket ticket,
                       const broker::Publication& publication) override {
    broker::Effects effects;
    broker::Command check = broker::CheckPending{publication.subject};
    broker_.apply(check, caller, ticket, now(), effects);
    broker::Reply reply = std::move(effects.replies.front().reply);
    if (!std::holds_alternative<base::Error>(reply)) {
      Reach reach = publish(publication, nullptr);
      reply = reach.receivers > 0 ? broker::Reply(broker::Done{reach.receivers})
                                  : base::Error{base::Errc::no_responders, {}};
    }
    answer(caller, ticket, reply);
  }

  // Does what has become due.
  void advance() {
    broker::Effects effects;
    broker_.advance(now(), effects);
    act(effects);
  }
  const broker::Totals& totals() const { return broker_.totals(); }
  size_t callers() const { return callers_.size(); }
  size_t subscriptions() const { return subscriptions_.size(); }

 private:
  struct Subscription {
    broker::Subscriber* subscriber;
    uint64_t cookie;
    std::string pattern;
    std::string group;
    std::optional<broker::MailboxId> mailbox;
  };

  broker::SubscriptionId add(Subscription one) {
    broker::SubscriptionId id{++last_subscription_};
    router_.subscribe(id, one.pattern, one.group);
    subscriptions_.emplace(id.value, std::move(one));
    return id;
  }
  // False if the receiver is behind.
  bool deliver(broker::SubscriptionId id, Subscription& to,
               const broker::Publication& publication) {
    broker::Receipt receipt = to.subscriber->on_message(to.cookie, publication);
    if (receipt == broker::Receipt::spent) drop(id);
    return receipt != broker::Receipt::behind;
  }
  void end_mailbox(broker::MailboxId id) {
    auto found = mailboxes_.find(id);
    if (found == mailboxes_.end()) return;
    drop(found->second);
    mailboxes_.erase(found);
  }
  void deposit(broker::MailboxId id, const broker::Publication& publication) {
    broker::Command command = broker::Deposit{
        id, publication.subject, broker::Content(publication.headers, publication.payload)};
    apply(command, {}, {});
  }
  void apply(broker::Command& command, broker::CallerId caller, broker::Ticket ticket) {
    broker::Effects effects;
    broker_.apply(command, caller, ticket, now(), effects);
    act(effects);
  }
  void act(broker::Effects& effects) {
    for (broker::MailboxId id : effects.mailboxes_expired) end_mailbox(id);
    for (broker::ReplyEffect& effect : effects.replies)
      answer(effect.caller, effect.ticket, effect.reply);
  }
  void answer(broker::CallerId id, broker::Ticket ticket, broker::Reply& reply) {
    if (auto found = callers_.find(id.value); found != callers_.end())
      found->second->on_reply(ticket, reply);
  }

  const ManualClock& clock_;
  broker::Broker broker_;
  broker::Router router_;
  std::map<uint64_t, Subscription> subscriptions_;
  std::map<broker::MailboxId, broker::SubscriptionId> mailboxes_;
  std::map<uint64_t, broker::Caller*> callers_;
  uint64_t last_subscription_ = 0;
  uint64_t last_caller_ = 0;
};

}  // namespace tram::protocols::testing
