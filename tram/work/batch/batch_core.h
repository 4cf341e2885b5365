// What gathers items and sends them off in calls, whatever their types.
//
//   callers ─► add() ─► a gathering ─► take_due() ─► a call ─► begin() ─► the batch function
//                         (gathering.h)  (flush_rule.h)  ▲                       │
//                                                        └── a slot is free ◄── answered() ─►
//                                                        over()
//
// One short lock guards all of it, and nothing under it takes longer the more items there are, but
// for what is rare (fit()): items enter the very call that they go in, so taking a batch is to take
// a call off a list. When each item was moved into a call as that was taken, whoever asked
// meanwhile slept on the lock once in a hundred items. Batches of each thread, merged when they go,
// were not built: see docs/decisions/0045-batch-speed.md.
//
// Locks: the scheduler asks idle hooks under a lock of its own, then this one is taken; under this
// one, the timer is set. Tasks are scheduled after it, since who is woken may run at once, on this
// very processor, and would only find it taken; what is going to be scheduled keeps the batcher.
// Nobody else's code runs under it but a key's hash and ==.
#pragma once

#include <mutex>
#include <string>

#include "tram/work/batch/batch_call.h"
#include "tram/work/batch/batch_stats.h"
#include "tram/work/batch/call_size.h"
#include "tram/work/batch/call_slots.h"
#include "tram/work/batch/gathering.h"
#include "tram/work/gcra.h"
#include "tram/work/scheduler/short_mutex.h"

namespace tram::work {

// What a token of the rate limit pays for.
enum class LimitCounts : uint8_t { calls, items };

class BatchCore : private IdleHook, private Timer {
 public:
  struct Settings {
    std::string name;
    FlushRule rule;
    std::optional<BatchSizeClimb> climb;  // Of rule.max_items.
    LimitController inflight;
    uint32_t thin_max;
    uint64_t waiting_max;
    Gcra* limit;
    LimitCounts limit_counts;
    bool dedup;
  };
  BatchCore(Scheduler& scheduler, Settings settings);
  // After finish().
  virtual ~BatchCore() = default;
  // Once it is constructed as a whole: from now on it is asked when all is idle.
  void start();
  // Closes, and waits until all is over. Once.
  void finish();

  void flush();
  void close();
  BatchStats stats();

  Scheduler& scheduler() const { return scheduler_; }
  const std::string& name() const { return settings_.name; }
  // Where the units of plain threads live, and what calls' scopes are within.
  ScopeCore& home() { return home_; }
  // What a batch function without a Context runs as.
  UnitBase& standing() { return standing_; }

  // -- Items.
  using Lock = std::unique_lock<ShortMutex>;
  Lock lock() { return Lock(mutex_); }
  // Under the lock: whether one more may come in; if not, why not.
  bool open() const {
    return !closed_ && waiting_.load(std::memory_order_relaxed) < settings_.waiting_max;
  }
  Error refusal();
  // Under the lock: its unit is going to be ended by who asked for it, if by nobody else, and then
  // leaves. The batcher stays until it has.
  void refuse(BatchItem& item);
  // Under the lock, which it gives back. Sees to it that the item goes when it should.
  void add(Lock lock, Gathering& gathering, BatchItem& item);
  void share(Lock lock, BatchItem& owner, BatchItem& item);
  // Its caller has given up: its unit is claimed. Does not touch the unit any more afterwards.
  void leave(BatchItem& item);
  // Nobody was told of its failure.
  void count_unheard();

  // -- Calls.
  // Takes the calling thread for a call with one item of its own, if nothing waits and nobody runs.
  bool begin_alone(base::Time& began, uint32_t& in_flight);
  // `error`: of the whole call; nullptr if it gave results.
  void end_alone(base::Time began, uint32_t in_flight, const Error* error);
  // False if all its callers have left: then it is over. Otherwise counts as made from now on, and
  // its items are those of callers that are still there.
  bool begin(BatchCall& call);
  // It has an answer, or failed as a whole: its slot is free for the next.
  void answered(BatchCall& call, const Error* error);
  // Its items have their results: of so many, it was the call that ended them.
  void over(BatchCall& call, uint64_t ended);
  // An item that had left before the call could end it.
  void detach(BatchItem& item);
  // From now on, the scope is stopped when all callers have left.
  void scope_made(BatchCall& call);

 protected:
  // Under the lock.
  virtual BatchCall* make_call(Gathering& gathering) = 0;
  // The item, which stood for its key, is in the batch no more; `successor`, if there is one, is.
  virtual void unlist(Gathering& gathering, BatchItem& item, BatchItem* successor) = 0;
  // It has no items now, and may be deleted.
  virtual void emptied(Gathering& gathering) = 0;

 private:
  struct FlushTask : Runnable {
    explicit FlushTask(BatchCore& of) : Runnable(how), core(of) {}
    static void run_it(Runnable& task);
    static constexpr RunnableOps how{&run_it};
    BatchCore& core;
  };

  // All of these under the lock.
  // Nor is about to: who gets a result may ask for more, and whoever gives them out may be no
  // worker.
  bool nothing_runs() const { return answering_ == 0 && scheduler_.idle(); }
  bool can_call() const { return slots_.free() && !limited_; }
  // Whether a call could be made of what is not full.
  bool can_call_thin() const { return slots_.free_for_thin() && !limited_; }
  // Whether something would go, were all idle.
  bool wants_idle() const {
    return rule_.flush == Flush::only_idle ? can_call()
                                           : rule_.flush == Flush::when_idle && can_call_thin();
  }
  FlushRule::Waiting look_at(const Gathering& gathering) const;
  // False for most items: then there is no need to ask the rule.
  bool may_be_due(const Gathering& gathering) const {
    return gathering.count >= rule_.max_items || gathering.asked > 0 || rule_.max_weight != 0;
  }
  void settle(Gathering& gathering, bool served, base::Time now);
  // Where the next item is to go.
  BatchCall& open_call(Gathering& gathering, const BatchItem& item);
  void enter(BatchCall& call, BatchItem& item);
  // Takes the first one from the gathering, with as many items as it may have by now.
  BatchCall& take_first(Gathering& gathering);
  void fit(Gathering& gathering, BatchCall& call);
  // To where `item` is the next one: the end or the front.
  static void move(BatchItem& item, BatchCall& from, BatchCall& to, bool to_front);
  void remove(BatchItem& item);
  // Of all that waits it is decided that it goes.
  void ask_for_all(FlushReason why, base::Time now);
  // Makes calls of all that should go now, and sets the timer for what should not.
  void take_due(bool idle, base::Time now, RunnableList& calls);
  // False if the rate limit does not allow it.
  bool take_one(Gathering& gathering, FlushReason reason, base::Time now, RunnableList& calls);
  bool pay_for_call(const Gathering& gathering, base::Time now, uint64_t& tokens);
  void give_back_tokens(uint64_t tokens);
  void set_timer();
  void start_timer(base::Time at);
  // Nothing waits when the timer fires, but something has come and gone since it last did.
  void keep_ticking(base::Time now);
  void want_flush();
  // Who is no worker has added something, and the workers may all be asleep: true if the flush task
  // is to be scheduled.
  bool notice_idle();
  void forget(uint64_t things);
  void note_service(base::Duration service);

  bool on_idle() override;
  static void on_time(Timer& timer);
  void wait_for_pending();

  Scheduler& scheduler_;
  const Settings settings_;
  ScopeCore home_;
  StandingUnit standing_;
  FlushTask flush_task_;
  std::atomic<uint64_t> waiting_ = 0;  // Written under the lock.

  ShortMutex mutex_;
  // Guarded by mutex_.
  FlushRule rule_;
  GatheringQueue queue_;
  CallSlots slots_;
  std::optional<BatchSizeClimb> climb_;
  base::Time latest_;  // When somebody last looked at the clock.
  bool closed_ = false;
  bool flush_wanted_ = false;  // The task is scheduled.
  uint64_t answering_ = 0;     // Calls that have ended, and are giving out their results.
  bool limited_ = false;       // Something could go, but has to wait for the rate limit.
  base::Time limited_until_ = base::Time::never();
  base::Time timer_at_ = base::Time::never();
  uint64_t items_at_tick_ = 0;  // How many had come when it last fired.
  bool timer_pending_ = false;  // The end has to wait for it: it fires just now.
  uint64_t pending_ = 0;        // Items, calls, the task: what the end has to wait for.
  Signal* all_over_ = nullptr;
  BatchStats stats_;
};

}  // namespace tram::work
