// Scope: the owner of units. What is spawned in it is over when it is.
//
//   Scope scope(runtime, {.deadline = 50ms});
//   Unit<User> user = scope.spawn(load_user, id);
//   Unit<Orders> orders = scope.spawn(load_orders, id);
//   // Page render(const User&, const Orders&);
//   Unit<Page> page = scope.spawn_after(render, user, orders);
//   Result<Page> result = page.get();
//
// A body takes its arguments and, if it wants, a Context as the last one. It returns a value, a
// Result, another unit (whose result becomes its own, without anybody waiting), or a Task
// (task.h); or it throws.
//
// The first failure stops the scope at once: what has not begun ends with Errc::cancelled, what
// runs is told when it looks (Context::stopped), and wait() gives that failure and all others.
// What looks at failures (settled(), any(), a body that takes Result<T> const&) runs all the same,
// so it can still say what became of the rest. With `.on_error = OnError::keep_going` no failure
// stops the scope.
//
// Threads: units may be spawned from any thread for as long as the scope is open: until its
// destructor begins, or, from its own bodies, until that ends.
#pragma once

#include <map>
#include <ranges>

#include "tram/work/runtime.h"
#include "tram/work/units/body_unit.h"

namespace tram::work {

// What a unit is called in errors, and where it was spawned:
// scope.spawn(Name("load user"), load_user, id). The text outlives the unit.
struct Name {
  explicit Name(const char* what, std::source_location where = std::source_location::current())
      : text(what), at(where) {}
  const char* text;
  std::source_location at;
};

template <class T>
struct External {
  Unit<T> unit;
  Promise<T> promise;
};

// What a Scope and a Context have in common: both spawn into one scope.
class Spawner {
 public:
  // Calls body(arguments...) on a worker. Arguments are moved or copied into the unit.
  template <class F, class... As>
  auto spawn(F&& body, As&&... arguments) const {
    return make(nullptr, std::source_location(), std::forward<F>(body),
                std::decay_t<As>(std::forward<As>(arguments))...);
  }
  template <class F, class... As>
  auto spawn(Name name, F&& body, As&&... arguments) const {
    return make(name.text, name.at, std::forward<F>(body),
                std::decay_t<As>(std::forward<As>(arguments))...);
  }

  // The same once all units among the arguments have ended; of a Unit<T> the body is given a T
  // const&. all(units), any(units) and settled(units) stand for several. If one fails, the body is
  // not run: this unit fails with dependency_failed and the cause; unless the body takes Result<T>
  // const& in place of every T const&, or settled(unit) was given: then it decides.
  template <class F, class... As>
  auto spawn_after(F&& body, As&&... arguments) const {
    return make_after(nullptr, std::source_location(), std::forward<F>(body),
                      std::decay_t<As>(std::forward<As>(arguments))...);
  }
  template <class F, class... As>
  auto spawn_after(Name name, F&& body, As&&... arguments) const {
    return make_after(name.text, name.at, std::forward<F>(body),
                      std::decay_t<As>(std::forward<As>(arguments))...);
  }

  // One unit for each element, in their order.
  template <class F, std::ranges::input_range Range>
  auto spawn_each(const F& body, Range&& range) const {
    std::vector<decltype(spawn(body, *std::ranges::begin(range)))> units;
    if constexpr (std::ranges::sized_range<Range>) units.reserve(std::ranges::size(range));
    for (auto&& element : range) units.push_back(spawn(body, element));
    return units;
  }

  // The same unit for the same key, however often it is asked for in this scope: the body runs
  // once. Keys of one type and results of one type belong together. Key needs operator<.
  template <class Key, class F, class... As>
  auto unit_for(Key key, F&& body, As&&... arguments) const {
    using Made = decltype(spawn(std::forward<F>(body), std::forward<As>(arguments)...));
    auto& units = single<Keyed<Key, Made>>();
    std::lock_guard lock(units.mutex);
    auto found = units.by_key.find(key);
    if (found == units.by_key.end())
      found =
          units.by_key
              .emplace(std::move(key), spawn(std::forward<F>(body), std::forward<As>(arguments)...))
              .first;
    return found->second;
  }

  // A unit that ends when its promise is given a result, by whatever thread: for callbacks.
  //   auto [unit, promise] = scope.external<Reply>();
  template <class T>
  External<T> external(const char* name = nullptr,
                       std::source_location at = std::source_location::current()) const {
    auto& unit = ExternalUnit<T>::make(*core_, name, at);
    return {Unit<T>(&unit), Promise<T>(&unit)};
  }

  // A unit that ends after so long, or with its scope. No thread sleeps.
  Unit<void> sleep(base::Duration duration) const {
    return Unit<void>(&SleepUnit::make(*core_, core_->scheduler().now() + duration));
  }

  // A value that bodies of this scope, and of scopes within it, find by its type.
  template <class T>
  void set_local(T value) const {
    core_->set_local(typeid(T), std::make_shared<T>(std::move(value)));
  }
  // nullptr if there is none. What it points to lasts as long as the scope that has it, and no
  // other value of its type is set there.
  template <class T>
  const T* local() const {
    return static_cast<const T*>(core_->local(typeid(T)).get());
  }

  // True once the scope was cancelled, has passed its deadline, or had a failure.
  bool stopped() const { return core_->stopped(); }
  std::stop_token stop() const { return core_->stop_token(); }
  base::Time deadline() const { return core_->deadline(); }
  base::Time now() const { return core_->scheduler().now(); }

  // For the parts of this library.
  ScopeCore& core() const { return *core_; }
  template <class T>
  T& single() const {
    return *static_cast<T*>(core_->single(typeid(T), [] { return std::make_shared<T>(); }));
  }

 protected:
  explicit Spawner(ScopeCore& core) : core_(&core) {}

 private:
  template <class Key, class Made>
  struct Keyed {
    std::mutex mutex;
    std::map<Key, Made> by_key;
  };
  template <class F, class... As>
  // NOLINTNEXTLINE(performance-unnecessary-value-param): moved from, unless it is trivial.
  auto make(const char* name, std::source_location at, F&& body, As... arguments) const;
  template <class F, class... As>
  auto make_after(const char* name, std::source_location at, F&& body, As... arguments) const;

  ScopeCore* core_;
};

// What a body is told about where it runs. Small: passed by value. Valid until its unit is done.
class Context : public Spawner {
 public:
  explicit Context(UnitBase& unit) : Spawner(unit.scope()), unit_(&unit) {}

  // Also true if this unit alone was cancelled.
  bool stopped() const {
    core().scheduler().announce();
    return unit_->cancel_asked() || core().stopped();
  }
  // Throws the reason if stopped().
  void check() const {
    if (!stopped()) return;
    throw Failure(core().stopped() ? core().stop_error() : Error(Errc::cancelled));
  }
  // Runs f(), which may block: another thread takes this one's place as a worker until the body
  // ends.
  template <class F>
  decltype(auto) blocking(F&& f) const {
    core().scheduler().step_aside();
    return std::forward<F>(f)();
  }

 private:
  UnitBase* unit_;
};

enum class OnError { cancel, keep_going };

class Scope : public Spawner {
 public:
  struct Options {
    base::Duration deadline = base::Duration::forever();  // From now.
    std::stop_token stop = {};                            // Stops it too.
    OnError on_error = OnError::cancel;
    std::string_view name = {};
  };

  explicit Scope(Runtime& runtime) : Scope(runtime, Options()) {}
  Scope(Runtime& runtime, const Options& options) : Scope(runtime.scheduler(), nullptr, options) {}
  // Within another one: stops with it, and ends before it.
  explicit Scope(const Context& outer) : Scope(outer, Options()) {}
  Scope(const Context& outer, const Options& options)
      : Scope(outer.core().scheduler(), &outer.core(), options) {}
  // Waits until all is over; while an exception unwinds the stack, cancels first.
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Waits until nothing in it is left. The first failure since the last wait(), with all others in
  // its all(). The scope stays open. Errc::deadlock if it is seen that this could never end.
  Result<void> wait();
  // What has not begun ends with Errc::cancelled; what runs is told when it looks.
  void cancel() { owned_->stop(Errc::cancelled); }

 private:
  Scope(Scheduler& scheduler, ScopeCore* outer, const Options& options);
  explicit Scope(std::unique_ptr<ScopeCore> core);

  std::unique_ptr<ScopeCore> owned_;
  int exceptions_;
};

}  // namespace tram::work

#include "tram/work/units/spawn.h"
