// The broker as one loop sees it: its replica of the subscription table, its shard, and the
// parcels it exchanges with the other loops.
//
// Threads: belongs to its loop; other loops reach it through `deliver` alone (and read its
// `waits_for_parcels_`).
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tram/broker/engine.h"
#include "tram/broker/router.h"
#include "tram/engines/embedded/mailbox_feed.h"
#include "tram/engines/embedded/parcel.h"
#include "tram/engines/embedded/shard.h"
#include "tram/engines/embedded/slot_table.h"
#include "tram/net/loop.h"

namespace tram::engines::embedded {

// What crossed between loops, and what the router holds, for operators.
struct LoopCounters {
  base::Counter subscriptions;  // Of this loop's clients.
  base::Counter parcels;
  base::Counter unrouted;  // Publishes that nobody was listening to.
};

// A caller's shards are bits of one word, so there are at most this many loops.
constexpr uint32_t loops_max = 64;

class LoopEngine final : public broker::Engine,
                         public broker::Caller,
                         public net::TurnEnd,
                         public net::HeldBack {
 public:
  // `in_flight_max`: bytes on their way to one loop, not yet handled there; beyond it publishers
  // are held back.
  LoopEngine(uint32_t index, net::Loop& loop, const broker::Limits& limits, size_t in_flight_max);
  ~LoopEngine();
  // All engines of the broker, this one among them, in the order of their loops.
  void connect(std::vector<LoopEngine*> engines);

  base::Time now() const override { return loop_.now(); }
  Reach publish(const broker::Publication& publication, const broker::Subscriber* except) override;
  bool publish_to(const broker::Subscriber& only, const broker::Publication& publication) override;
  broker::SubscriptionId subscribe(broker::Subscriber& subscriber, uint64_t cookie,
                                   base::BytesView pattern, base::BytesView group) override;
  void unsubscribe(broker::SubscriptionId subscription) override;
  void drop(broker::SubscriptionId subscription) override;
  bool known_everywhere(broker::CallerId caller, broker::Ticket ticket) override;
  broker::CallerId enrol(broker::Caller& caller) override;
  void depart(broker::CallerId caller) override;
  void submit(broker::CallerId caller, broker::Ticket ticket, broker::Command command) override;
  void publish_checked(broker::CallerId caller, broker::Ticket ticket,
                       const broker::Publication& publication) override;

  const ShardCounters& shard_counters() const { return shard_.counters(); }
  const LoopCounters& counters() const { return counters_; }

 private:
  struct LocalSubscription {
    broker::Subscriber* subscriber = nullptr;
    uint64_t cookie = 0;
    std::string pattern;
    std::string group;
    bool leaving = false;  // Unsubscribed, and not yet known to be everywhere.
  };
  struct EnrolledCaller {
    broker::Caller* caller = nullptr;
    uint64_t shards = 0;  // A bit for each shard that has heard of it.
  };
  // What to do once every loop has handled the first `change_count` changes of this one.
  struct Waiter {
    uint64_t change_count;
    std::move_only_function<void()> then;
  };
  struct Gathering {
    broker::CallerId caller;
    broker::Ticket ticket;
    size_t missing = 0;
    broker::QueueList list;
  };

  bool alone() const { return engines_.size() == 1; }
  uint32_t shard_for(const broker::Command& command) const;
  Reach hand_on(const broker::Publication& publication, const broker::Subscriber* except,
                std::span<const broker::SubscriptionId> targets);
  bool hand_to(broker::SubscriptionId target, LocalSubscription& local,
               const broker::Publication& publication);
  void drop_spent();
  void change(bool added, broker::SubscriptionId subscription, const LocalSubscription& local);
  void forget_local(broker::SubscriptionId subscription, LocalSubscription& local);
  bool settled() const;
  void when_settled(std::move_only_function<void()> then);
  void run_waiters();

  void act(broker::Effects& effects);
  void carry_out(broker::CallerId caller, broker::Ticket ticket, broker::Command& command);
  void answer(broker::CallerId caller, broker::Ticket ticket, broker::Reply& reply);
  void answer_here(broker::CallerId caller, broker::Ticket ticket, broker::Reply& reply);
  void check_and_publish(broker::CallerId caller, broker::Ticket ticket,
                         const broker::Publication& publication);
  void gather(broker::CallerId caller, broker::Ticket ticket);
  void on_reply(broker::Ticket ticket, broker::Reply& reply) override;

  Parcel& parcel_for(uint32_t loop);
  void deliver(Parcel& parcel, bool wake_it);  // Any thread.
  void wake();                                 // Any thread.
  void send_back(Parcel& parcel);
  void take_parcels();
  void handle(Parcel& parcel);
  void reuse(Parcel& parcel);
  void on_turn_end() override;
  void on_relief() override;

  const uint32_t index_;
  const size_t in_flight_max_;
  net::Loop& loop_;
  std::vector<LoopEngine*> engines_;

  broker::Router router_;
  SlotTable<broker::SubscriptionId, LocalSubscription> subscriptions_;
  std::vector<broker::SubscriptionId> spent_;  // Ended inside the present hand-on.
  SlotTable<broker::CallerId, EnrolledCaller> callers_;
  Shard shard_;
  MailboxFeed mailboxes_;
  broker::CallerId self_;  // As a caller of other shards.
  uint64_t gatherings_begun_ = 0;
  std::deque<std::pair<uint64_t, Gathering>> gatherings_;

  // Changes of the table: how many were made here, and how many each loop has handled.
  uint64_t changes_made_ = 0;
  std::vector<uint64_t> changes_known_;
  std::deque<Waiter> waiters_;

  // Parcels being filled, one per loop; those on their way; those to use again.
  std::vector<Parcel*> filling_;
  std::vector<size_t> in_flight_;
  // Publishers here wait for parcels to come back. Read by other loops, to wake this one.
  std::atomic<bool> waits_for_parcels_ = false;
  std::vector<std::unique_ptr<Parcel>> owned_;
  std::vector<Parcel*> spare_;
  // Handled, but kept from their senders a moment, because every receiver here is behind.
  std::vector<Parcel*> withheld_;

  ParcelQueue arrived_;
  std::atomic<bool> woken_ = false;
  LoopCounters counters_;
};

}  // namespace tram::engines::embedded
