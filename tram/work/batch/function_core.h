// A batcher with its batch function: how that is called, and how its results are dealt out.
#pragma once

#include "tram/work/batch/batch_returns.h"
#include "tram/work/batch/keyed_core.h"

namespace tram::work {

// How a batch function of type F is called and what it gives.
template <class Key, class Value, class F>
struct BatchFunction {
  static constexpr bool with_context = std::is_invocable_v<F&, std::span<const Key>, Context>;
  static constexpr bool callable = with_context || std::is_invocable_v<F&, std::span<const Key>>;
  static auto returned() {
    if constexpr (with_context)
      return std::type_identity<std::invoke_result_t<F&, std::span<const Key>, Context>>();
    else if constexpr (callable)
      return std::type_identity<std::invoke_result_t<F&, std::span<const Key>>>();
    else
      return std::type_identity<int*>();
  }
  using Return = std::remove_cvref_t<typename decltype(returned())::type>;
  using Bare = typename BareResults<Return>::Type;
  static constexpr bool usable = callable && BatchResults<Bare, Key, Value>;
};

template <class Key, class Value, class F>
class FunctionCore final : public KeyedCore<Key, Value> {
 public:
  using How = BatchFunction<Key, Value, F>;
  using Return = typename How::Return;
  using Bare = typename How::Bare;

  FunctionCore(Scheduler& scheduler, BatchOptions<Key> options, F function)
      : KeyedCore<Key, Value>(scheduler, std::move(options)), function_(std::move(function)) {}

  Result<Value> alone(Key&& key, base::Time began, uint32_t in_flight) final {
    std::span<const Key> keys(&key, 1);
    std::optional<CallScope> scope;
    Answers<Key, Value, Bare> answers(whole(call_alone(key, scope)), keys, this->name());
    if (scope) scope->end();
    std::optional<Error> error;
    if (answers.error() != nullptr) error = *answers.error();
    Result<Value> result = answers.take(0);
    this->end_alone(began, in_flight, error ? &*error : nullptr);
    return result;
  }

 private:
  struct Call;

  BatchCall* make_call(Gathering& gathering) final {
    auto* made = new Call(*this);
    if (this->options().partition)
      made->partition = static_cast<KeyedGathering<Key>&>(gathering).partition;
    return made;
  }
  // What the function returned; or, as a result, what it threw.
  using Given = std::conditional_t<is_unit<Return>, Result<Return>, Result<Bare>>;
  Given call_alone(const Key& key, std::optional<CallScope>& scope) {
    std::span<const Key> keys(&key, 1);
    if constexpr (How::with_context) {
      scope.emplace(this->home(), this->name(), base::Time::never());
      if (this->options().partition) {
        HomeSpawner caller(this->home());
        try {
          scope->core.set_local(typeid(Partition),
                                std::make_shared<Partition>(this->partition_of(key, caller)));
        } catch (...) {
          return thrown();
        }
      }
      return call(keys, scope->unit);
    } else {
      return call(keys, this->standing());
    }
  }
  Given call(std::span<const Key> keys, UnitBase& as) {
    RunningUnit running(as);
    try {
      auto run = [&]() -> decltype(auto) {
        if constexpr (How::with_context)
          return std::invoke(function_, keys, Context(as));
        else
          return std::invoke(function_, keys);
      };
      if constexpr (std::is_void_v<Return>) {
        run();
        return Given();
      } else {
        return Given(run());
      }
    } catch (...) {
      return thrown();
    }
  }
  // The same when it is over: waits for a unit.
  Result<Bare> whole(Result<Bare> given) { return given; }
  Result<Bare> whole(Result<Unit<Bare>> given) {
    if (!given) return std::unexpected(given.error());
    if (!given->valid()) return no_unit();
    return std::move(*given).get();
  }
  std::unexpected<Error> thrown() const {
    return std::unexpected(
        Error::from_exception(std::current_exception()).in(this->name(), std::source_location()));
  }
  std::unexpected<Error> no_unit() const {
    return std::unexpected(
        Error(Errc::missing_result, "the batch function returned a Unit that is none")
            .in(this->name(), std::source_location()));
  }
  F function_;
};

template <class Key, class Value, class F>
struct FunctionCore<Key, Value, F>::Call final : BatchCall, Waiter {
  explicit Call(FunctionCore& of) : BatchCall(of, how), Waiter(&ended), function(of) {
    needs_deadline = How::with_context;
  }

  static void run_it(Runnable& task) {
    auto& self = static_cast<Call&>(task);
    // The batch function may take long, and what this thread has counted of other scopes is not to
    // wait for it.
    LiveCount::settle();
    if constexpr (is_unit<Return>) {
      if (self.returned.valid()) return self.end(self.returned.give_up());
    }
    if (self.function.begin(self)) self.start();
  }

  void start() {
    keys.reserve(count);
    for (BatchItem* each = items.first(); each != nullptr; each = items.next(*each))
      keys.push_back(std::move(static_cast<KeyedItem<Key>*>(each)->key));
    if constexpr (How::with_context) {
      scope.emplace(function.home(), function.name(), deadline);
      if (function.options().partition)
        scope->core.set_local(typeid(Partition), std::make_shared<Partition>(partition));
      function.scope_made(*this);
    }
    auto given = function.call(keys, scope ? scope->unit : function.standing());
    if constexpr (is_unit<Return>) {
      if (!given) return end(std::unexpected(given.error()));
      if (!given->valid()) return end(function.no_unit());
      returned = std::move(*given);
      if (!returned.base().add_waiter(*this)) end(returned.give_up());
    } else {
      end(std::move(given));
    }
  }
  static void ended(Waiter& waiter, UnitBase&, RunnableList& ready) {
    ready.push_back(static_cast<Call&>(waiter));
  }

  void end(Result<Bare> bare) {
    Answers<Key, Value, Bare> answers(std::move(bare), keys, function.name());
    function.answered(*this, answers.error());
    function.claim_all(items);
    uint64_t over = 0;
    for (size_t i = 0; !items.empty(); ++i) {
      BatchItem& item = items.pop_front();
      Result<Value> result = answers.take(i);
      if constexpr (FunctionCore::shareable)
        while (!item.sharers.empty())
          function.give(item.sharers.pop_front(), keys[i], result, over);
      function.give(item, keys[i], std::move(result), over);
    }
    if constexpr (is_unit<Return>) returned = {};
    if (scope) scope->end();
    function.over(*this, over);
  }

  static constexpr RunnableOps how{&run_it};
  FunctionCore& function;
  Partition partition;
  std::vector<Key> keys;
  std::conditional_t<is_unit<Return>, Return, bool> returned{};
};

}  // namespace tram::work
