// One piece, though long: live messages, commands and parcels all turn on the same few tables of
// one loop, and the order in which a parcel is handled is the promise that ties them together.
#include "tram/engines/embedded/loop_engine.h"

#include <algorithm>
#include <functional>

#include "tram/base/assert.h"
#include "tram/net/outbox.h"

namespace tram::engines::embedded {

using base::BytesView;
using broker::CallerId;
using broker::Command;
using broker::Publication;
using broker::Reply;
using broker::SubscriptionId;
using broker::Ticket;

namespace {

// All mailboxes are kept by one shard, as a subject's messages are counted over all of them.
constexpr uint32_t mailbox_shard = 0;

// FNV-1a: which shard keeps a queue must not depend on the library's hash of the day.
uint32_t hash_of(BytesView name) {
  uint32_t hash = 2166136261u;
  for (unsigned char c : name) hash = (hash ^ c) * 16777619u;
  return hash;
}

}  // namespace

LoopEngine::LoopEngine(uint32_t index, net::Loop& loop, const broker::Limits& limits,
                       size_t in_flight_max)
    : index_(index),
      in_flight_max_(in_flight_max),
      loop_(loop),
      subscriptions_(index),
      callers_(index),
      shard_(index, loop, limits, [this](broker::Effects& effects) { act(effects); }),
      mailboxes_(*this, shard_) {}

LoopEngine::~LoopEngine() {
  loop_.forget(static_cast<net::TurnEnd&>(*this));
  loop_.forget(static_cast<net::HeldBack&>(*this));
}

void LoopEngine::connect(std::vector<LoopEngine*> engines) {
  engines_ = std::move(engines);
  filling_.resize(engines_.size());
  in_flight_.resize(engines_.size());
  changes_known_.resize(engines_.size());
  self_ = enrol(*this);
}

// --- Live messages.

broker::Engine::Reach LoopEngine::publish(const Publication& publication,
                                          const broker::Subscriber* except) {
  // Of the groups that `except` is a member of, another member gets the message.
  std::span<const SubscriptionId> targets =
      except == nullptr ? router_.route(publication.subject)
                        : router_.route(publication.subject, [this, except](SubscriptionId member) {
                            return loop_of(member.value) == index_ &&
                                   subscriptions_.find(member)->subscriber == except;
                          });
  if (targets.empty()) {
    counters_.unrouted.add();
    return {};
  }
  size_t size = publication.headers.size() + publication.payload.size();
  if (size < net::share_size_min || publication.owner != nullptr || targets.size() == 1)
    return hand_on(publication, except, targets);
  // Several receivers of something large: copied once here, and then only counted.
  broker::Content piece(publication.headers, publication.payload);
  Publication shared = publication;
  shared.headers = piece.headers();
  shared.payload = piece.payload();
  shared.owner = &piece.bytes();
  return hand_on(shared, except, targets);
}

broker::Engine::Reach LoopEngine::hand_on(const Publication& publication,
                                          const broker::Subscriber* except,
                                          std::span<const SubscriptionId> targets) {
  Reach reach;
  bool all_behind = true;
  bool elsewhere = false;
  for (SubscriptionId target : targets) {
    if (loop_of(target.value) != index_) {
      elsewhere = true;
      continue;
    }
    LocalSubscription* local = subscriptions_.find(target);
    TRAM_ASSERT(local != nullptr, target.value);
    if (local->subscriber == except) continue;
    ++reach.receivers;
    if (!hand_to(target, *local, publication)) all_behind = false;
  }
  if (elsewhere) {
    // Loop by loop, so that the message's bytes go to each loop once.
    for (uint32_t loop = 0; loop < engines_.size(); ++loop) {
      if (loop == index_) continue;
      LiveRecord* record = nullptr;
      Parcel* parcel = nullptr;
      for (SubscriptionId target : targets) {
        if (loop_of(target.value) != loop) continue;
        if (record == nullptr) {
          parcel = &parcel_for(loop);
          record = &parcel->add_live(publication);
        }
        parcel->targets.push_back(target);
        ++record->target_count;
      }
      if (record == nullptr) continue;
      reach.receivers += record->target_count;
      if (in_flight_[loop] + parcel->live_size() < in_flight_max_)
        all_behind = false;
      else
        waits_for_parcels_.store(true, std::memory_order_seq_cst);
    }
  }
  drop_spent();
  reach.hold_back = all_behind && reach.receivers > 0;
  return reach;
}

// True if the receiver is behind.
bool LoopEngine::hand_to(SubscriptionId target, LocalSubscription& local,
                         const Publication& publication) {
  switch (local.subscriber->on_message(local.cookie, publication)) {
    case broker::Receipt::taken:
      return false;
    case broker::Receipt::behind:
      return true;
    case broker::Receipt::spent:
      // Not yet: the list of targets is being walked.
      spent_.push_back(target);
      return false;
  }
  return false;
}

void LoopEngine::drop_spent() {
  while (!spent_.empty()) {
    SubscriptionId id = spent_.back();
    spent_.pop_back();
    drop(id);
  }
}

bool LoopEngine::publish_to(const broker::Subscriber& only, const Publication& publication) {
  bool reached = false;
  for (SubscriptionId target : router_.route(publication.subject)) {
    if (loop_of(target.value) != index_) continue;
    LocalSubscription* local = subscriptions_.find(target);
    if (local->subscriber != &only) continue;
    reached = true;
    hand_to(target, *local, publication);
  }
  drop_spent();
  return reached;
}

SubscriptionId LoopEngine::subscribe(broker::Subscriber& subscriber, uint64_t cookie,
                                     BytesView pattern, BytesView group) {
  LocalSubscription local{&subscriber, cookie, std::string(pattern), std::string(group), false};
  SubscriptionId id = subscriptions_.add(local);
  router_.subscribe(id, pattern, group);
  change(true, id, local);
  counters_.subscriptions.add();
  return id;
}

void LoopEngine::unsubscribe(SubscriptionId id) {
  LocalSubscription* local = subscriptions_.find(id);
  TRAM_ASSERT(local != nullptr && !local->leaving, id.value);
  forget_local(id, *local);
  if (alone()) {
    subscriptions_.remove(id);
    return;
  }
  local->leaving = true;
  when_settled([this, id] {
    if (subscriptions_.find(id) != nullptr) subscriptions_.remove(id);
  });
}

void LoopEngine::drop(SubscriptionId id) {
  LocalSubscription* local = subscriptions_.find(id);
  if (local == nullptr) return;
  if (!local->leaving) forget_local(id, *local);
  subscriptions_.remove(id);
}

void LoopEngine::forget_local(SubscriptionId id, LocalSubscription& local) {
  bool known = router_.unsubscribe(id, local.pattern, local.group);
  TRAM_ASSERT(known, id.value);
  change(false, id, local);
  counters_.subscriptions.subtract();
}

void LoopEngine::change(bool added, SubscriptionId id, const LocalSubscription& local) {
  if (alone()) return;
  ++changes_made_;
  for (uint32_t loop = 0; loop < engines_.size(); ++loop) {
    if (loop == index_) continue;
    Parcel& parcel = parcel_for(loop);
    parcel.changes.push_back({added, id, local.pattern, local.group});
    parcel.change_count = changes_made_;
  }
}

bool LoopEngine::settled() const {
  for (uint32_t loop = 0; loop < engines_.size(); ++loop)
    if (loop != index_ && changes_known_[loop] < changes_made_) return false;
  return true;
}

void LoopEngine::when_settled(std::move_only_function<void()> then) {
  if (settled())
    then();
  else
    waiters_.push_back({changes_made_, std::move(then)});
}

void LoopEngine::run_waiters() {
  while (!waiters_.empty()) {
    uint64_t wanted = waiters_.front().change_count;
    for (uint32_t loop = 0; loop < engines_.size(); ++loop)
      if (loop != index_ && changes_known_[loop] < wanted) return;
    std::move_only_function<void()> then = std::move(waiters_.front().then);
    waiters_.pop_front();
    then();
  }
}

bool LoopEngine::known_everywhere(CallerId caller, Ticket ticket) {
  if (alone() || settled()) return true;
  when_settled([this, caller, ticket] {
    Reply done = broker::Done{};
    answer_here(caller, ticket, done);
  });
  return false;
}

// --- Stored messages.

CallerId LoopEngine::enrol(broker::Caller& caller) { return callers_.add({&caller, 0}); }

void LoopEngine::depart(CallerId id) {
  EnrolledCaller* caller = callers_.find(id);
  TRAM_ASSERT(caller != nullptr, id.value);
  uint64_t shards = caller->shards;
  callers_.remove(id);
  for (uint32_t shard = 0; shards >> shard != 0; ++shard) {
    if ((shards >> shard & 1) == 0) continue;
    Command gone = broker::Depart{};
    if (shard == index_)
      shard_.apply(gone, id, Ticket());
    else
      parcel_for(shard).commands.push_back({id, Ticket(), std::move(gone), {}});
  }
}

uint32_t LoopEngine::shard_for(const Command& command) const {
  if (alone()) return 0;
  return std::visit(
      [this](const auto& c) {
        if constexpr (requires { c.queue; })
          return hash_of(c.queue) % static_cast<uint32_t>(engines_.size());
        else
          return mailbox_shard;
      },
      command);
}

void LoopEngine::submit(CallerId caller, Ticket ticket, Command command) {
  if (std::holds_alternative<broker::ListQueues>(command) && !alone()) {
    gather(caller, ticket);
    return;
  }
  uint32_t shard = shard_for(command);
  if (EnrolledCaller* enrolled = callers_.find(caller)) enrolled->shards |= uint64_t{1} << shard;
  if (shard == index_) {
    carry_out(caller, ticket, command);
    return;
  }
  CommandItem& item = parcel_for(shard).commands.emplace_back(caller, ticket, std::move(command));
  // The texts are the caller's, and the caller goes on: they travel with the command.
  size_t count = 0;
  std::visit([&](auto& c) { c.texts([&](BytesView& text) { item.texts[count++] = text; }); },
             item.command);
}

void LoopEngine::carry_out(CallerId caller, Ticket ticket, Command& command) {
  if (auto* open = std::get_if<broker::OpenMailbox>(&command)) {
    Reply reply = shard_.ask(*open);
    if (!std::holds_alternative<base::Error>(reply)) mailboxes_.open(open->mailbox, open->pattern);
    // Whoever publishes after having seen this reply reaches the mailbox, from any loop.
    when_settled([this, caller, ticket, reply]() mutable { answer(caller, ticket, reply); });
    return;
  }
  if (auto* close = std::get_if<broker::CloseMailbox>(&command)) mailboxes_.close(close->mailbox);
  shard_.apply(command, caller, ticket);
}

void LoopEngine::act(broker::Effects& effects) {
  for (broker::MailboxId& mailbox : effects.mailboxes_expired) mailboxes_.close(mailbox);
  for (broker::ReplyEffect& effect : effects.replies)
    answer(effect.caller, effect.ticket, effect.reply);
}

void LoopEngine::answer(CallerId caller, Ticket ticket, Reply& reply) {
  uint32_t loop = loop_of(caller.value);
  if (!caller) return;
  if (loop == index_)
    answer_here(caller, ticket, reply);
  else
    parcel_for(loop).replies.push_back({caller, ticket, std::move(reply)});
}

void LoopEngine::answer_here(CallerId id, Ticket ticket, Reply& reply) {
  if (EnrolledCaller* enrolled = callers_.find(id)) {
    enrolled->caller->on_reply(ticket, reply);
    return;
  }
  // Whoever took this message has gone. A lease that is bound to it ends anyway; one that is
  // not must not run its full time for nobody.
  if (auto* delivery = std::get_if<broker::Delivery>(&reply))
    submit(CallerId(), Ticket(),
           broker::Release{delivery->queue, delivery->id, delivery->token, false});
}

void LoopEngine::publish_checked(CallerId caller, Ticket ticket, const Publication& publication) {
  if (index_ == mailbox_shard) {
    check_and_publish(caller, ticket, publication);
    return;
  }
  parcel_for(mailbox_shard)
      .checked.push_back({caller, ticket, std::string(publication.subject),
                          std::string(publication.reply_to),
                          broker::Content(publication.headers, publication.payload)});
}

void LoopEngine::check_and_publish(CallerId caller, Ticket ticket, const Publication& publication) {
  Reply reply = shard_.ask(broker::CheckPending{publication.subject});
  if (!std::holds_alternative<base::Error>(reply)) {
    Reach reach = publish(publication, nullptr);
    if (reach.receivers > 0)
      reply = broker::Done{reach.receivers};
    else
      reply = base::Error{base::Errc::no_responders, {}};
  }
  answer(caller, ticket, reply);
}

void LoopEngine::gather(CallerId caller, Ticket ticket) {
  uint64_t number = ++gatherings_begun_;
  gatherings_.push_back({number, {caller, ticket, engines_.size(), {}}});
  for (uint32_t shard = 0; shard < engines_.size(); ++shard) {
    Command list = broker::ListQueues{};
    if (shard == index_)
      shard_.apply(list, self_, {number});
    else
      parcel_for(shard).commands.push_back({self_, {number}, std::move(list), {}});
  }
}

void LoopEngine::on_reply(Ticket ticket, Reply& reply) {
  auto found = std::find_if(gatherings_.begin(), gatherings_.end(),
                            [&](const auto& entry) { return entry.first == ticket.value; });
  TRAM_ASSERT(found != gatherings_.end(), ticket.value);
  Gathering& gathering = found->second;
  for (broker::QueueInfo& queue : std::get<broker::QueueList>(reply).queues)
    gathering.list.queues.push_back(std::move(queue));
  if (--gathering.missing > 0) return;
  Gathering whole = std::move(gathering);
  gatherings_.erase(found);
  std::sort(whole.list.queues.begin(), whole.list.queues.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  Reply list = std::move(whole.list);
  answer_here(whole.caller, whole.ticket, list);
}

// --- Parcels.

Parcel& LoopEngine::parcel_for(uint32_t loop) {
  if (filling_[loop] == nullptr) {
    if (spare_.empty()) {
      owned_.push_back(std::make_unique<Parcel>());
      spare_.push_back(owned_.back().get());
    }
    filling_[loop] = spare_.back();
    spare_.pop_back();
    filling_[loop]->from = index_;
    filling_[loop]->to = loop;
    loop_.at_turn_end(*this);
  }
  return *filling_[loop];
}

void LoopEngine::on_turn_end() {
  take_parcels();
  // Changes go to every loop before messages go to any: a receiver that answers at once, over a
  // third loop, must find the inbox already known there.
  for (uint32_t loop = 0; loop < filling_.size(); ++loop) {
    Parcel* parcel = filling_[loop];
    if (parcel == nullptr || parcel->changes.empty()) continue;
    filling_[loop] = nullptr;
    Parcel* rest = nullptr;
    if (!parcel->commands.empty() || !parcel->checked.empty() || !parcel->live.empty() ||
        !parcel->replies.empty()) {
      rest = &parcel_for(loop);
      std::swap(*rest, *parcel);
      std::swap(rest->changes, parcel->changes);
      std::swap(rest->change_count, parcel->change_count);
    }
    counters_.parcels.add();
    engines_[loop]->deliver(*parcel, true);
  }
  for (uint32_t loop = 0; loop < filling_.size(); ++loop) {
    Parcel* parcel = std::exchange(filling_[loop], nullptr);
    if (parcel == nullptr) continue;
    in_flight_[loop] += parcel->live_size();
    counters_.parcels.add();
    engines_[loop]->deliver(*parcel, true);
  }
}

void LoopEngine::deliver(Parcel& parcel, bool wake_it) {
  arrived_.push(&parcel);
  if (wake_it) wake();
}

void LoopEngine::wake() {
  if (!woken_.exchange(true, std::memory_order_acq_rel)) loop_.post([this] { take_parcels(); });
}

void LoopEngine::take_parcels() {
  // First the flag, then the parcels: one that comes in between wakes us again.
  woken_.exchange(false, std::memory_order_acq_rel);
  for (Parcel* parcel = arrived_.take_all(); parcel != nullptr;) {
    Parcel* next = parcel->next;
    if (parcel->handled)
      reuse(*parcel);
    else
      handle(*parcel);
    parcel = next;
  }
}

void LoopEngine::handle(Parcel& parcel) {
  for (Change& change : parcel.changes) {
    if (change.added)
      router_.subscribe(change.subscription, change.pattern, change.group);
    else
      router_.unsubscribe(change.subscription, change.pattern, change.group);
  }
  for (CommandItem& item : parcel.commands) {
    size_t count = 0;
    std::visit([&](auto& c) { c.texts([&](BytesView& text) { text = item.texts[count++]; }); },
               item.command);
    carry_out(item.caller, item.ticket, item.command);
  }
  for (CheckedPublish& checked : parcel.checked)
    check_and_publish(checked.caller, checked.ticket,
                      {checked.subject, checked.reply_to, checked.content.headers(),
                       checked.content.payload(), &checked.content.bytes()});
  bool all_behind = !parcel.live.empty();
  for (const LiveRecord& record : parcel.live) {
    Publication publication = parcel.view_of(record);
    for (uint32_t i = 0; i < record.target_count; ++i) {
      LocalSubscription* local = subscriptions_.find(parcel.targets[record.first_target + i]);
      if (local == nullptr) continue;  // It went while the message was on its way.
      if (!hand_to(parcel.targets[record.first_target + i], *local, publication))
        all_behind = false;
    }
    drop_spent();
  }
  for (ReplyItem& item : parcel.replies) answer_here(item.caller, item.ticket, item.reply);

  parcel.handled = true;
  if (all_behind) {
    if (withheld_.empty()) loop_.hold_back(*this);
    withheld_.push_back(&parcel);
  } else {
    send_back(parcel);
  }
}

// The sender is woken only if it waits for this; otherwise it finds the parcel in passing.
void LoopEngine::send_back(Parcel& parcel) {
  LoopEngine& sender = *engines_[parcel.from];
  bool awaited = !parcel.changes.empty();
  sender.deliver(parcel, awaited);
  if (!awaited && sender.waits_for_parcels_.load(std::memory_order_seq_cst)) sender.wake();
}

void LoopEngine::on_relief() {
  for (Parcel* parcel : withheld_) send_back(*parcel);
  withheld_.clear();
}

void LoopEngine::reuse(Parcel& parcel) {
  if (!parcel.changes.empty()) {
    changes_known_[parcel.to] = std::max(changes_known_[parcel.to], parcel.change_count);
    run_waiters();
  }
  in_flight_[parcel.to] -= parcel.live_size();
  if (waits_for_parcels_.load(std::memory_order_relaxed) &&
      in_flight_[parcel.to] < in_flight_max_ / 2) {
    waits_for_parcels_.store(false, std::memory_order_seq_cst);
    loop_.relieve();
  }
  parcel.clear();
  spare_.push_back(&parcel);
}

}  // namespace tram::engines::embedded
