#include "tram/engines/embedded/shard.h"

#include <algorithm>

#include "tram/base/assert.h"

namespace tram::engines::embedded {

namespace {

constexpr uint64_t trim_size = uint64_t{16} << 20;

}  // namespace

Shard::Shard(uint32_t number, net::Loop& loop, const broker::Limits& limits,
             std::function<void(broker::Effects&)> act)
    : loop_(loop),
      broker_(number, limits),
      act_(std::move(act)),
      deadline_([this] { on_deadline(); }) {}

Shard::~Shard() { loop_.forget(*this); }

void Shard::apply(broker::Command& command, broker::CallerId caller, broker::Ticket ticket) {
  broker::Effects effects;
  if (!spare_.empty()) {
    effects = std::move(spare_.back());
    spare_.pop_back();
  }
  broker_.apply(command, caller, ticket, loop_.now(), effects);
  act_on(effects);
}

broker::Reply Shard::ask(broker::Command command) {
  broker::Effects effects;
  broker_.apply(command, broker::CallerId(), broker::Ticket(), loop_.now(), effects);
  TRAM_ASSERT(effects.replies.size() == 1, effects.replies.size());
  watch_deadline();
  loop_.at_turn_end(*this);
  return std::move(effects.replies.front().reply);
}

void Shard::on_deadline() {
  broker::Effects effects;
  broker_.advance(loop_.now(), effects);
  act_on(effects);
}

void Shard::act_on(broker::Effects& effects) {
  watch_deadline();
  loop_.at_turn_end(*this);
  act_(effects);
  effects.clear();
  spare_.push_back(std::move(effects));
}

void Shard::watch_deadline() {
  base::Time next = broker_.next_deadline();
  if (next == base::Time::never()) {
    loop_.timers().stop(deadline_);
  } else if (!deadline_.running() || deadline_.deadline() != next) {
    loop_.timers().start(deadline_, next);
  }
}

void Shard::on_turn_end() {
  const broker::Totals& totals = broker_.totals();
  // After a backlog has been worked off its memory goes back.
  stored_peak_ = std::max(stored_peak_, totals.stored_bytes);
  if (totals.stored_bytes < stored_peak_ / 4) {
    if (stored_peak_ > trim_size) loop_.trim_later();
    stored_peak_ = totals.stored_bytes;
  }
  counters_.queues.set(totals.queues);
  counters_.ready.set(totals.ready);
  counters_.leased.set(totals.leased);
  counters_.stored_bytes.set(totals.stored_bytes);
  counters_.waiting_takers.set(totals.waiting_takers);
  counters_.puts.set(totals.puts);
  counters_.deliveries.set(totals.deliveries);
  counters_.redeliveries.set(totals.redeliveries);
  counters_.acks.set(totals.acks);
  counters_.releases.set(totals.releases);
  counters_.leases_expired.set(totals.leases_expired);
  counters_.mailboxes.set(totals.mailboxes);
  counters_.mailbox_messages.set(totals.mailbox_messages);
  counters_.mailbox_drops.set(totals.mailbox_drops);
}

}  // namespace tram::engines::embedded
