#include "tests/model/broker_model.h"

#include <algorithm>
#include <fmt/core.h>

#include "tram/broker/subject.h"

namespace tram::test {

using namespace tram::broker;
using base::Duration;
using base::Errc;
using base::Time;

void BrokerModel::apply(const Command& command, CallerId caller, Ticket ticket, Time now,
                        Effects& effects) {
  advance(now, effects);
  std::visit([&](auto& one) { run(one, Moment{caller, ticket, now, effects}); }, command);
}

// --- Time.

Time BrokerModel::next_deadline() const {
  Time next = Time::never();
  for (auto& message : messages_)
    if (message.lease) next = std::min(next, message.lease->deadline);
  for (auto& taker : takers_) next = std::min(next, taker.deadline);
  for (auto& [name, queue] : queues_)
    if (idle(name)) next = std::min(next, queue.used + limits_.queue_idle_expiry);
  for (auto& one : mailboxes_) next = std::min(next, one.fetched + limits_.mailbox_idle_expiry);
  return next;
}

void BrokerModel::advance(Time now, Effects& effects) {
  for (;;) {
    Time due = next_deadline();
    if (due > now || due == Time::never()) return;

    Message* ended = nullptr;
    for (auto& message : messages_)
      if (message.lease && message.lease->deadline == due &&
          (!ended || message.lease->token < ended->lease->token))
        ended = &message;
    if (ended) {
      ended->lease.reset();
      ++counted_.leases_expired;
      serve(std::string(ended->queue), now, effects);
      continue;
    }
    auto over = std::find_if(takers_.begin(), takers_.end(),
                             [&](auto& taker) { return taker.deadline == due; });
    if (over != takers_.end()) {
      effects.replies.push_back({over->caller, over->ticket, TakeEnded{true, over->missing}});
      queues_[over->queue].used = now;
      takers_.erase(over);
      continue;
    }
    auto unused = std::find_if(queues_.begin(), queues_.end(), [&](auto& entry) {
      return idle(entry.first) && entry.second.used + limits_.queue_idle_expiry == due;
    });
    if (unused != queues_.end()) {
      queues_.erase(unused);
      continue;
    }
    effects.mailboxes_expired.push_back(mailboxes_.front().id);
    mailboxes_.erase(mailboxes_.begin());
  }
}

// --- Messages.

BrokerModel::Message* BrokerModel::first_ready(std::string_view queue) {
  for (auto& message : messages_)
    if (message.queue == queue && !message.lease) return &message;
  return nullptr;
}

void BrokerModel::deliver(Message& message, Taker& taker, Time now, Effects& effects) {
  ++queues_[message.queue].deliveries;
  ++counted_.deliveries;
  if (message.leased_before) {
    ++queues_[message.queue].redeliveries;
    ++counted_.redeliveries;
  }
  message.leased_before = true;
  ++message.attempts;
  --taker.missing;
  taker.had_some = true;
  message.lease = Lease{
      {++last_token_}, now + taker.lease, taker.lease, taker.bound ? taker.caller : CallerId()};
  effects.replies.push_back(
      {taker.caller, taker.ticket,
       Delivery{message.id, message.lease->token, message.attempts, taker.missing,
                now - message.put_at, message.queue, message.content}});
}

void BrokerModel::serve(const std::string& queue, Time now, Effects& effects) {
  for (size_t i = 0; i < takers_.size();) {
    Taker& taker = takers_[i];
    bool mine = taker.queue == queue;
    Message* message = mine ? first_ready(queue) : nullptr;
    if (!message) {
      ++i;
      continue;
    }
    bool first = !taker.had_some;
    deliver(*message, taker, now, effects);
    if (taker.missing == 0) {
      takers_.erase(takers_.begin() + static_cast<ptrdiff_t>(i));
    } else if (taker.linger == Duration()) {
      effects.replies.push_back({taker.caller, taker.ticket, TakeEnded{false, taker.missing}});
      takers_.erase(takers_.begin() + static_cast<ptrdiff_t>(i));
    } else if (first) {
      taker.deadline = now + taker.linger;
    }
  }
}

void BrokerModel::erase(MessageId id) {
  std::erase_if(messages_, [&](auto& message) { return message.id == id; });
}

uint64_t BrokerModel::erase_ready(std::string_view queue) {
  return std::erase_if(messages_,
                       [&](auto& message) { return message.queue == queue && !message.lease; });
}

uint64_t BrokerModel::waiting_on(std::string_view queue) const {
  return static_cast<uint64_t>(std::count_if(takers_.begin(), takers_.end(),
                                             [&](auto& taker) { return taker.queue == queue; }));
}

bool BrokerModel::idle(const std::string& queue) const {
  return waiting_on(queue) == 0 && std::none_of(messages_.begin(), messages_.end(),
                                                [&](auto& one) { return one.queue == queue; });
}

uint64_t BrokerModel::stored_bytes() const {
  uint64_t bytes = 0;
  for (auto& message : messages_) bytes += message.content.size();
  return bytes;
}

void BrokerModel::run(const Put& put, Moment at) {
  if (!valid_queue_name(put.queue)) return at.refuse(Errc::invalid_queue_name);
  if (stored_bytes() + put.content.size() + (messages_.size() + 1) * Limits::message_overhead >
      limits_.stored_bytes_max)
    return at.refuse(Errc::limit_reached,
                     fmt::format("the broker stores at most {} bytes", limits_.stored_bytes_max));
  std::string name(put.queue);
  if (!queues_.contains(name) && queues_.size() >= limits_.queues_max)
    return at.refuse(Errc::limit_reached,
                     fmt::format("there are {} queues already", limits_.queues_max));
  MessageId id{++last_message_ * shards_max + shard_};
  messages_.push_back({id, name, put.content, at.now, 0, false, std::nullopt});
  ++queues_[name].puts;
  ++counted_.puts;
  queues_[name].used = at.now;
  at.reply(Stored{id, Durability::memory, false});
  serve(name, at.now, at.effects);
}

void BrokerModel::run(const Take& take, Moment at) {
  using namespace std::chrono_literals;
  if (!valid_queue_name(take.queue)) return at.refuse(Errc::invalid_queue_name);
  if (take.count == 0 || take.count > 10'000)
    return at.refuse(Errc::invalid_argument, "count must be 1 to 10000");
  if (take.wait < Duration(0s) || take.wait > Duration(1h))
    return at.refuse(Errc::invalid_argument, "wait must be 0 to 1 h");
  if (take.linger < Duration(0s) || take.linger > Duration(1h))
    return at.refuse(Errc::invalid_argument, "linger must be 0 to 1 h");
  if (take.lease < Duration(1ms) || take.lease > Duration(24h))
    return at.refuse(Errc::invalid_argument, "lease must be 1 ms to 24 h");

  std::string name(take.queue);
  Taker taker{at.caller,     at.ticket,   name,       take.count,
              Time::never(), take.linger, take.lease, take.bound_to_caller,
              false};
  while (taker.missing > 0 && first_ready(name))
    deliver(*first_ready(name), taker, at.now, at.effects);
  if (queues_.contains(name)) queues_[name].used = at.now;
  if (taker.missing == 0) return;
  bool full = waiting_on(name) >= limits_.waiting_takers_max;
  if (taker.had_some ? take.linger == Duration() || full : take.wait == Duration())
    return at.reply(TakeEnded{false, taker.missing});
  if (full)
    return at.refuse(Errc::limit_reached,
                     fmt::format("{} takers wait there already", limits_.waiting_takers_max));
  if (!queues_.contains(name) && queues_.size() >= limits_.queues_max)
    return at.refuse(Errc::limit_reached,
                     fmt::format("there are {} queues already", limits_.queues_max));
  queues_[name].used = at.now;
  taker.deadline = at.now + (taker.had_some ? take.linger : take.wait);
  takers_.push_back(taker);
}

BrokerModel::Message* BrokerModel::held(std::string_view queue, MessageId id, LeaseToken token,
                                        Moment& at) {
  for (auto& message : messages_) {
    if (message.id != id || message.queue != queue || !message.leased_before) continue;
    if (message.lease && message.lease->token == token) return &message;
    at.refuse(Errc::lease_ended);
    return nullptr;
  }
  at.refuse(Errc::message_not_found);
  return nullptr;
}

void BrokerModel::run(const Ack& ack, Moment at) {
  Message* message = held(ack.queue, ack.id, ack.token, at);
  if (!message) return;
  Queue& queue = queues_[message->queue];
  ++queue.acks;
  ++counted_.acks;
  queue.used = at.now;
  erase(ack.id);
  at.reply(Done{1});
}

void BrokerModel::run(const Release& release, Moment at) {
  Message* message = held(release.queue, release.id, release.token, at);
  if (!message) return;
  if (!release.attempted) --message->attempts;
  message->lease.reset();
  ++counted_.releases;
  at.reply(Done{1});
  serve(std::string(message->queue), at.now, at.effects);
}

void BrokerModel::run(const Extend& extend, Moment at) {
  using namespace std::chrono_literals;
  if (extend.lease != Duration() && (extend.lease < Duration(1ms) || extend.lease > Duration(24h)))
    return at.refuse(Errc::invalid_argument,
                     "lease must be 1 ms to 24 h, or 0 for as long as it was granted for");
  Message* message = held(extend.queue, extend.id, extend.token, at);
  if (!message) return;
  Duration length = extend.lease == Duration() ? message->lease->length : extend.lease;
  message->lease->deadline = at.now + length;
  at.reply(Done{1});
}

void BrokerModel::run(const StopTaking& stop, Moment at) {
  auto mine = std::find_if(takers_.begin(), takers_.end(), [&](auto& taker) {
    return taker.caller == at.caller && taker.ticket == stop.of_take;
  });
  if (mine == takers_.end()) return;
  at.effects.replies.push_back({mine->caller, mine->ticket, TakeEnded{false, mine->missing}});
  queues_[mine->queue].used = at.now;
  takers_.erase(mine);
}

void BrokerModel::run(const Depart&, Moment at) {
  for (auto& taker : takers_)
    if (taker.caller == at.caller) queues_[taker.queue].used = at.now;
  std::erase_if(takers_, [&](auto& taker) { return taker.caller == at.caller; });
  std::vector<std::pair<LeaseToken, std::string>> ended;
  for (auto& message : messages_) {
    if (!message.lease || !at.caller || message.lease->bound_to != at.caller) continue;
    ended.push_back({message.lease->token, message.queue});
    message.lease.reset();
  }
  std::sort(ended.begin(), ended.end());
  for (auto& [token, queue] : ended) serve(queue, at.now, at.effects);
}

// --- Inspection.

QueueInfo BrokerModel::info(const std::string& name, Time now) const {
  const Queue& queue = queues_.at(name);
  QueueInfo info{.name = name,
                 .waiting_takers = waiting_on(name),
                 .puts = queue.puts,
                 .deliveries = queue.deliveries,
                 .redeliveries = queue.redeliveries,
                 .acks = queue.acks,
                 .oldest_ready_age = {}};
  for (auto& message : messages_) {
    if (message.queue != name) continue;
    info.bytes += message.content.size();
    if (message.lease) {
      ++info.leased;
    } else if (info.ready++ == 0) {
      info.oldest_ready_age = now - message.put_at;
    }
  }
  return info;
}

void BrokerModel::run(const ListQueues&, Moment at) {
  QueueList list;
  for (auto& [name, queue] : queues_) list.queues.push_back(info(name, at.now));
  at.reply(list);
}

void BrokerModel::run(const ShowQueue& command, Moment at) {
  if (!queues_.contains(command.queue)) return at.refuse(Errc::queue_not_found);
  QueueList list;
  list.queues.push_back(info(std::string(command.queue), at.now));
  at.reply(list);
}

void BrokerModel::run(const PurgeQueue& command, Moment at) {
  auto found = queues_.find(command.queue);
  if (found == queues_.end()) return at.refuse(Errc::queue_not_found);
  found->second.used = at.now;
  at.reply(Done{erase_ready(command.queue)});
}

void BrokerModel::run(const DeleteQueue& command, Moment at) {
  auto found = queues_.find(command.queue);
  if (found == queues_.end()) return at.refuse(Errc::queue_not_found);
  uint64_t count =
      std::erase_if(messages_, [&](auto& message) { return message.queue == command.queue; });
  if (waiting_on(command.queue) == 0) {
    queues_.erase(found);
  } else {
    found->second = Queue();
  }
  at.reply(Done{count});
}

// --- Mailboxes.

BrokerModel::Mailbox* BrokerModel::mailbox(MailboxId id) {
  for (auto& one : mailboxes_)
    if (one.id == id) return &one;
  return nullptr;
}

uint64_t BrokerModel::pending(std::string_view subject) const {
  uint64_t count = 0;
  for (auto& one : mailboxes_)
    for (auto& [about, content] : one.messages) count += about == subject;
  return count;
}

uint64_t BrokerModel::mailbox_bytes() const {
  uint64_t bytes = 0;
  for (auto& one : mailboxes_)
    for (auto& [about, content] : one.messages)
      bytes += content.size() + Limits::mailbox_message_overhead;
  return bytes;
}

void BrokerModel::run(const OpenMailbox& command, Moment at) {
  if (!valid_pattern(command.pattern)) return at.refuse(Errc::invalid_subject);
  if (mailbox(command.mailbox))
    return at.refuse(Errc::invalid_argument, "a mailbox of that id is open already");
  if (mailboxes_.size() >= limits_.mailboxes_max)
    return at.refuse(Errc::limit_reached,
                     fmt::format("there are {} mailboxes already", limits_.mailboxes_max));
  mailboxes_.push_back({command.mailbox, std::string(command.pattern), at.now, {}});
  at.reply(Done{});
}

void BrokerModel::run(const Deposit& command, Moment) {
  Mailbox* to = mailbox(command.mailbox);
  if (!to || !matches(to->pattern, command.subject)) return;
  uint64_t most = limits_.mailbox_pending_max;
  for (auto& one : mailboxes_) most += has_wildcard(one.pattern) || one.pattern == command.subject;
  uint64_t bytes = mailbox_bytes() + command.content.size() + Limits::mailbox_message_overhead;
  if (pending(command.subject) >= most || bytes > limits_.mailbox_bytes_max) {
    ++counted_.mailbox_drops;
  } else {
    to->messages.push_back({std::string(command.subject), command.content});
  }
}

void BrokerModel::run(const FetchMailbox& command, Moment at) {
  auto found = std::find_if(mailboxes_.begin(), mailboxes_.end(), [&](auto& one) {
    return one.id == command.mailbox && one.pattern == command.pattern;
  });
  if (found == mailboxes_.end()) return at.refuse(Errc::mailbox_not_found);
  MailboxContents contents;
  for (auto& [about, content] : found->messages) contents.messages.push_back(content);
  found->messages.clear();
  found->fetched = at.now;
  std::rotate(found, found + 1, mailboxes_.end());
  at.reply(contents);
}

void BrokerModel::run(const CloseMailbox& command, Moment at) {
  if (std::erase_if(mailboxes_, [&](auto& one) { return one.id == command.mailbox; }) == 0)
    return at.refuse(Errc::mailbox_not_found);
  at.reply(Done{});
}

void BrokerModel::run(const CheckPending& command, Moment at) {
  if (pending(command.subject) > limits_.mailbox_pending_max ||
      mailbox_bytes() + Limits::mailbox_message_overhead > limits_.mailbox_bytes_max)
    return at.refuse(Errc::overflow);
  at.reply(Done{});
}

Totals BrokerModel::totals() const {
  Totals totals = counted_;
  totals.queues = queues_.size();
  for (auto& message : messages_) ++(message.lease ? totals.leased : totals.ready);
  totals.stored_bytes = stored_bytes();
  totals.waiting_takers = takers_.size();
  totals.mailboxes = mailboxes_.size();
  for (auto& one : mailboxes_) totals.mailbox_messages += one.messages.size();
  return totals;
}

}  // namespace tram::test
