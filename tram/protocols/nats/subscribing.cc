// SUB and UNSUB.
#include "tram/broker/subject.h"
#include "tram/protocols/nats/door.h"
#include "tram/protocols/nats/session.h"
#include "tram/protocols/nats/tickets.h"
#include "tram/protocols/nats/words.h"

namespace tram::protocols::nats {

// SUB <subject> [group] <sid>
NatsSession::Taken NatsSession::take_sub(BytesView arguments) {
  Words words = split_words(arguments);
  if (words.count != 2 && words.count != 3) return refuse({});
  BytesView pattern = words.word[0];
  BytesView group = words.count == 3 ? words.word[1] : BytesView();
  BytesView sid = words.word[words.count - 1];
  if (!broker::valid_pattern(pattern)) {
    door_.counters_of_sessions().errors.add();
    connection_.send(words::invalid_subject);
    return Taken::done;
  }
  uint32_t limit = door_.options().subscriptions_max;
  if (limit > 0 && slot_by_sid_.size() >= limit) {
    door_.counters_of_sessions().errors.add();
    connection_.send(words::subscriptions_exceeded);
    return Taken::done;
  }
  auto [place, added] = slot_by_sid_.try_emplace(std::string(sid), 0);
  if (added) {
    auto slot = static_cast<uint32_t>(subscriptions_.size());
    if (free_slots_.empty()) {
      subscriptions_.emplace_back();
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    place->second = slot;
    Subscription& subscription = subscriptions_[slot];
    subscription.sid = sid;
    subscription.id = door_.engine().subscribe(*this, slot, pattern, group);
  }
  // A sid that is in use already: as in nats-server, the second SUB changes nothing.
  return options_.verbose ? say_when_known(words::ok) : Taken::done;
}

// UNSUB <sid> [max messages]
NatsSession::Taken NatsSession::take_unsub(BytesView arguments) {
  Words words = split_words(arguments);
  if (words.count != 1 && words.count != 2) return refuse({});
  uint32_t most = 0;
  if (words.count == 2) {
    std::optional<uint32_t> number = parse_size(words.word[1]);
    if (!number) return refuse({});
    most = *number;
  }
  auto found = slot_by_sid_.find(std::string(words.word[0]));
  if (found != slot_by_sid_.end()) {
    Subscription& subscription = subscriptions_[found->second];
    if (most > subscription.delivered)
      subscription.delivered_max = most;
    else
      close_subscription(found->second);
  }
  return say_ok();
}

// The slot stays until no message for it can be on its way from another loop.
void NatsSession::close_subscription(uint32_t slot) {
  Subscription& subscription = subscriptions_[slot];
  slot_by_sid_.erase(subscription.sid);
  subscription.delivered_max = 0;  // It ends only once.
  door_.engine().unsubscribe(subscription.id);
  if (door_.engine().known_everywhere(caller_, ticket_of(TicketKind::slot, slot))) free_slot(slot);
}

void NatsSession::free_slot(uint32_t slot) {
  subscriptions_[slot] = Subscription();
  free_slots_.push_back(slot);
}

}  // namespace tram::protocols::nats
