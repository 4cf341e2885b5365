// A batcher's items with their keys: partitions, equal keys, and the units that callers hold.
#pragma once

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "tram/work/batch/batch_options.h"

namespace tram::work {

template <class Key>
concept HashedKey = requires(const Key& key) {
  { std::hash<Key>()(key) } -> std::convertible_to<size_t>;
  { key == key } -> std::convertible_to<bool>;
};

template <class Key>
struct KeyedItem : BatchItem {
  explicit KeyedItem(Key&& given) : key(std::move(given)) {}
  // Until the call begins; then the call has it.
  Key key;
};

// Nobody waits for it.
template <class Key>
struct PostedItem final : KeyedItem<Key> {
  using KeyedItem<Key>::KeyedItem;
  static PostedItem& make(Key&& posted) {
    return *new (UnitMemory::take(sizeof(PostedItem))) PostedItem(std::move(posted));
  }
  void destroy() {
    this->~PostedItem();
    UnitMemory::give_back(this, sizeof(PostedItem));
  }
};

// What a caller is given. The batcher holds it in the scheduler's stead.
template <class Key, class Value>
class ItemUnit final : public TypedUnit<Value>, public Outside, public KeyedItem<Key> {
 public:
  static ItemUnit& make(BatchCore& core, ScopeCore& scope, Key&& asked) {
    auto& unit = *new (UnitMemory::take(sizeof(ItemUnit))) ItemUnit(core, scope, std::move(asked));
    scope.begun();
    return unit;
  }
  static ItemUnit& of(BatchItem& item) {
    return static_cast<ItemUnit&>(static_cast<KeyedItem<Key>&>(item));
  }
  // After its call has claimed it, and taken it off its scope's list.
  void end(Result<Value> result) {
    this->store(std::move(result));
    this->finish();
  }

 private:
  ItemUnit(BatchCore& core, ScopeCore& scope, Key&& asked)
      : TypedUnit<Value>(operations, scope, nullptr, std::source_location()),
        Outside(static_cast<UnitBase&>(*this)),
        KeyedItem<Key>(std::move(asked)),
        core_(&core) {
    BatchItem::unit = this;
    BatchItem::deadline = scope.deadline();
  }
  static void fail(UnitBase& unit, Error error) {
    auto& self = static_cast<ItemUnit&>(unit);
    self.scope().remove_outside(self);
    self.core_->leave(self);
    TypedUnit<Value>::fail_with(self, std::move(error));
  }
  static void destroy(UnitBase& unit) {
    auto& self = static_cast<ItemUnit&>(unit);
    self.~ItemUnit();
    UnitMemory::give_back(&self, sizeof(ItemUnit));
  }
  static constexpr UnitOps operations{{&UnitBase::run},
                                      nullptr,
                                      nullptr,
                                      &fail,
                                      &TypedUnit<Value>::error_of,
                                      [](UnitBase&, Visitor&) {},
                                      &destroy,
                                      [] { return std::string_view("item of a batch"); }};
  BatchCore* core_;
};

// An entry for each item that waits: so not from the C++ heap.
template <class T>
struct UnitAllocator {
  using value_type = T;
  UnitAllocator() = default;
  template <class U>
  UnitAllocator(const UnitAllocator<U>&) {}  // NOLINT: implicit, as containers want it
  static constexpr size_t size = sizeof(T);  // NOLINT: T may well be a pointer
  T* allocate(size_t count) { return static_cast<T*>(UnitMemory::take(count * size)); }
  void deallocate(T* block, size_t count) { UnitMemory::give_back(block, count * size); }
  friend bool operator==(const UnitAllocator&, const UnitAllocator&) { return true; }
};

// Which item stands for a key. Of keys that cannot be hashed there is none.
template <class Key>
struct KeyIndex {
  BatchItem* find_or_insert(const Key&, BatchItem&) { return nullptr; }
  void erase(const Key&) {}
};
template <HashedKey Key>
struct KeyIndex<Key> {
  // The one that stands for it already; nullptr if from now on it is this one.
  BatchItem* find_or_insert(const Key& key, BatchItem& item) {
    auto [found, inserted] = items.try_emplace(&key, &item);
    return inserted ? nullptr : found->second;
  }
  void erase(const Key& key) { items.erase(&key); }
  struct Hash {
    size_t operator()(const Key* key) const { return std::hash<Key>()(*key); }
  };
  struct Equal {
    bool operator()(const Key* a, const Key* b) const { return *a == *b; }
  };
  std::unordered_map<const Key*, BatchItem*, Hash, Equal,
                     UnitAllocator<std::pair<const Key* const, BatchItem*>>>
      items;
};

template <class Key>
struct KeyedGathering final : Gathering {
  Partition partition;
  KeyIndex<Key> index;
};

// The scope of plain threads' items, for a partition function.
struct HomeSpawner : Spawner {
  explicit HomeSpawner(ScopeCore& home) : Spawner(home) {}
};

template <class Key, class Value>
class KeyedCore : public BatchCore {
 public:
  using Options = BatchOptions<Key>;
  static constexpr bool shareable = std::is_void_v<Value> || std::copy_constructible<Value>;

  KeyedCore(Scheduler& scheduler, Options options)
      : BatchCore(scheduler, settings_of(options, HashedKey<Key>, shareable)),
        options_(std::move(options)) {}

  Unit<Value> ask(Key&& key, const Spawner& caller) {
    auto& unit = ItemUnit<Key, Value>::make(*this, caller.core(), std::move(key));
    Unit<Value> handle(&unit);
    // Those of plain threads are in no list: nothing stops their scope before they end.
    if (&caller.core() != &this->home() && !caller.core().add_outside(unit))
      unit.cancel(caller.core().stop_error());
    if (std::optional<Error> refused = enter(unit, caller)) {
      unit.cancel(*refused);
      unit.release();
    }
    return handle;
  }
  Result<void> post(Key&& key) {
    auto& item = PostedItem<Key>::make(std::move(key));
    std::optional<Error> refused = enter(item, HomeSpawner(this->home()));
    if (!refused) return {};
    item.destroy();
    return std::unexpected(*refused);
  }
  // Makes the call on this thread: see BatchCore::begin_alone.
  virtual Result<Value> alone(Key&& key, base::Time began, uint32_t in_flight) = 0;

  const Options& options() const { return options_; }

 protected:
  // Before the results are given out: from now on nobody else ends these. Items that come one after
  // the other from one scope leave it under one lock.
  void claim_all(base::IntrusiveList<BatchItem, BatchItem>& items) {
    ScopeCore* scope = nullptr;
    std::unique_lock<ShortMutex> held;
    auto claim = [&](BatchItem& item) {
      if (item.unit == nullptr) return;
      item.claimed = item.unit->claim();
      ScopeCore& its = item.unit->scope();
      if (!item.claimed || &its == &this->home()) return;
      if (scope != &its) {
        held = {};
        held = its.hold_outside();
        scope = &its;
      }
      its.remove_outside(ItemUnit<Key, Value>::of(item), held);
    };
    for (BatchItem* each = items.first(); each != nullptr; each = items.next(*each)) {
      claim(*each);
      for (auto* also = each->sharers.first(); also != nullptr; also = each->sharers.next(*also))
        claim(*also);
    }
  }
  void give(BatchItem& item, const Key& key, Result<Value> result, uint64_t& ended) {
    if (item.unit == nullptr) {
      if (!result) {
        if (options_.on_lost)
          options_.on_lost(key, result.error());
        else
          this->count_unheard();
      }
      ++ended;
      static_cast<PostedItem<Key>&>(static_cast<KeyedItem<Key>&>(item)).destroy();
      return;
    }
    auto& unit = ItemUnit<Key, Value>::of(item);
    if (item.claimed) {
      unit.end(std::move(result));
      ++ended;
    } else {
      this->detach(unit);
    }
    unit.release();
  }
  Partition partition_of(const Key& key, const Spawner& caller) const {
    return options_.partition ? options_.partition(key, caller) : Partition();
  }

 private:
  // Why not, if it was not taken. One that was cancelled meanwhile is not taken either.
  std::optional<Error> enter(KeyedItem<Key>& item, const Spawner& caller) {
    if (!options_.weight && !options_.partition) return enter(item, Partition(), std::nullopt);
    Partition partition;
    std::optional<Error> refused;
    try {
      // One that is heavier than a call may be counts as just that, so that no sum overflows.
      if (options_.weight)
        item.weight = std::min(options_.weight(item.key), options_.max_weight + 1);
      partition = partition_of(item.key, caller);
    } catch (...) {
      refused =
          Error::from_exception(std::current_exception()).in(this->name(), std::source_location());
    }
    return enter(item, std::move(partition), std::move(refused));
  }
  std::optional<Error> enter(KeyedItem<Key>& item, Partition&& partition,
                             std::optional<Error>&& refused) {
    BatchCore::Lock lock = this->lock();
    if (item.place == BatchItem::Place::left) return Error(Errc::cancelled);
    if (!refused && !this->open()) refused = this->refusal();
    if (refused) {
      this->refuse(item);
      return refused;
    }
    KeyedGathering<Key>& gathering = gathering_of(std::move(partition));
    if (options_.dedup) {
      if (BatchItem* owner = gathering.index.find_or_insert(item.key, item); owner != nullptr) {
        this->share(std::move(lock), *owner, item);
        return std::nullopt;
      }
    }
    this->add(std::move(lock), gathering, item);
    return std::nullopt;
  }
  KeyedGathering<Key>& gathering_of(Partition&& partition) {
    if (!options_.partition) return whole_;
    auto& found = partitions_[partition];
    if (found == nullptr) {
      found = std::make_unique<KeyedGathering<Key>>();
      found->partition = std::move(partition);
    }
    return *found;
  }
  void unlist(Gathering& gathering, BatchItem& item, BatchItem* successor) final {
    if (!options_.dedup) return;
    auto& index = static_cast<KeyedGathering<Key>&>(gathering).index;
    index.erase(static_cast<KeyedItem<Key>&>(item).key);
    if (successor != nullptr)
      index.find_or_insert(static_cast<KeyedItem<Key>*>(successor)->key, *successor);
  }
  void emptied(Gathering& gathering) final {
    if (options_.partition)
      partitions_.erase(Partition(static_cast<KeyedGathering<Key>&>(gathering).partition));
  }

  const Options options_;
  // Guarded by the lock.
  KeyedGathering<Key> whole_;  // If there are no partitions.
  std::unordered_map<Partition, std::unique_ptr<KeyedGathering<Key>>, Partition::Hash> partitions_;
};

}  // namespace tram::work
