// Batcher: many small requests to something that answers many at once for little more than one.
//
//   Batcher<UserId, User> users(runtime, {.max_items = 100},
//       [&](std::span<const UserId> ids) { return database.get_many(ids); });
//
//   Unit<User> user = users(id, context);       // In a body or a scope: an edge like any other.
//   Unit<User> other = users(id);               // From any thread.
//   Result<User> now = users.get(id);           // And waits.
//   users.post(id);                             // And never looks back.
//
// When a batch goes: for the first of these that is true, once one of the `inflight` calls is free
// and `limit`, if there is one, allows it.
//   items, weight   it has max_items, or max_weight
//   idle            nothing in the Runtime is left to run, so nothing could add to it. Not after a
//                   while, but exactly then: a lone request does not wait, a tree of dependent ones
//                   makes a call for each level, and while calls are in flight the next batch grows
//   slot            its first item has waited as long as a call takes, as measured
//   wait            its first item has waited for max_wait
// By default up to 16 full calls are in flight, as many as are found to help; of those that go for
// `idle`, `slot` or `wait` two, and one more for every four full ones (InFlight). A number is for
// all. Unrelated work in the same Runtime counts as work that could add to it: where there is
// always some, `slot` and `wait` make batches go. Options::flush has other rules.
//
// The batch function is called with the keys, and with a Context if it takes one. It returns, for
// the keys in their order, a std::vector<Value> or std::vector<Result<Value>>; or a std::map or
// std::unordered_map<Key, Value>; for a Batcher<Key, void> also nothing at all; or a Unit<> of one
// of these, or a Result<>. It is called by several threads at the same time, as many as `inflight`
// allows. If it blocks, do that in context.blocking(), or it takes a worker from all others. What
// it throws, and what Result<> or Unit<> fails with, is the error of each item of this call and of
// no other; too few or too many results are Errc::missing_result for all, an absent key is for its
// own item.
//
// Each caller for itself: its scope's deadline and cancel, and Unit::cancel(), end its own unit at
// once. Who leaves before the call is not asked for; the call's scope (Context) is stopped only
// when every caller has left, and its deadline is the latest of theirs. With Cache::per_scope,
// callers of one scope that ask for the same are one caller: they share one unit.
//
// Fairness: in one partition, first come, first asked for. Of several partitions the one goes first
// that has been ready the longest, so one that is always full keeps none waiting.
//
// Threads: everything from any thread; what the options call as well. What an option throws is the
// failure of the item it was called for. A Runtime outlives its batchers. The destructor closes,
// and waits until every item has its result; nobody may call anything any more.
#pragma once

#include "tram/work/batch/function_core.h"

namespace tram::work {

template <class Key, class Value>
class Batcher {
 public:
  using Options = BatchOptions<Key>;

  // Throws a Failure with Errc::invalid_argument, naming the option, if one cannot be.
  template <class F>
  Batcher(Runtime& runtime, Options options, F function)
      : core_(make(runtime, std::move(options), std::move(function))) {
    core_->start();
  }
  template <class F>
  Batcher(Runtime& runtime, F function) : Batcher(runtime, Options(), std::move(function)) {}
  ~Batcher() { core_->finish(); }
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // `caller`: a Scope or a Context. The unit lives in its scope, so its failure is the scope's.
  // Fails with Errc::closed after close(), and with Errc::overloaded if waiting_max items wait.
  Unit<Value> operator()(Key key, const Spawner& caller) {
    if constexpr (HashedKey<Key>)
      if (core_->options().cache == Cache::per_scope) return cached(std::move(key), caller);
    return core_->ask(std::move(key), caller);
  }
  // The unit is in no scope of the caller's: only its own cancel() ends it before its time.
  Unit<Value> operator()(Key key) { return core_->ask(std::move(key), HomeSpawner(core_->home())); }
  // Waits, without deadline: in a body, operator() with its context is better. If nothing runs and
  // nothing waits, a thread that is no worker makes the call itself, for this key alone, and no
  // other is woken.
  Result<Value> get(Key key) {
    base::Time began;
    uint32_t in_flight = 0;
    if (core_->begin_alone(began, in_flight)) return core_->alone(std::move(key), began, in_flight);
    return (*this)(std::move(key)).get();
  }
  // Nobody waits for it, and no result is kept: the cheapest way in. Of failures `on_lost` is told.
  Result<void> post(Key key) { return core_->post(std::move(key)); }

  // What waits goes now, or as soon as `inflight` allows.
  void flush() { core_->flush(); }
  // The same, and what comes later is refused. Does not wait.
  void close() { core_->close(); }

  BatchStats stats() const { return core_->stats(); }
  const std::string& name() const { return core_->name(); }

 private:
  template <class F>
  static std::unique_ptr<KeyedCore<Key, Value>> make(Runtime& runtime, Options options,
                                                     F function) {
    using How = BatchFunction<Key, Value, F>;
    static_assert(How::callable,
                  "Batcher<Key, Value>: the batch function cannot be called with a "
                  "std::span<const Key>, with or without a Context after it.");
    static_assert(!How::callable || How::usable,
                  "Batcher<Key, Value>: the batch function must return std::vector<Value>, "
                  "std::vector<Result<Value>> or a map from Key to Value; or a Unit<> or Result<> "
                  "of one of these; for a Batcher<Key, void> also void.");
    if constexpr (How::usable)
      return std::make_unique<FunctionCore<Key, Value, F>>(runtime.scheduler(), std::move(options),
                                                           std::move(function));
    else
      return nullptr;
  }

  // Those that a scope has asked for.
  struct Asked {
    std::recursive_mutex mutex;  // What a failure stops may ask for something itself.
    std::unordered_map<uint64_t, std::unordered_map<Key, Unit<Value>>> units;
  };
  Unit<Value> cached(Key key, const Spawner& caller) {
    Asked& asked = caller.single<Asked>();
    std::lock_guard lock(asked.mutex);
    auto& mine = asked.units[serial_];
    if (auto found = mine.find(key); found != mine.end())
      if (!found->second.done() || found->second.result().has_value()) return found->second;
    Unit<Value> unit = core_->ask(Key(key), caller);
    mine.insert_or_assign(std::move(key), unit);
    return unit;
  }
  // Of this batcher alone, also when another one comes to be in its place.
  static uint64_t next_serial() {
    static std::atomic<uint64_t> last = 0;
    return ++last;
  }

  const uint64_t serial_ = next_serial();
  std::unique_ptr<KeyedCore<Key, Value>> core_;
};

}  // namespace tram::work
