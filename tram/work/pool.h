// Pool: one kind of work, done by a few workers, with a queue before them and a window of results
// behind.
//
//   Pool<Order, Invoice> pool(runtime, {.workers = 10, .job_timeout = 2s, .timeout = 1min},
//                             [](Order order, Context c) { return price(order, c.stop()); });
//   auto run = pool.open(stop);
//   run.feed(orders);      // or a callable: [&](auto& in) { ... in.dispatch(order) ... }
//   for (Result<Invoice>& invoice : run.received()) use(invoice);   // break is safe
//   if (auto end = run.finish(); !end) report(end.error());         // the first error; all()
//
// The body takes an In, and a Context if it wants one; it returns an Out, a Result<Out>, or throws.
// It is shared by all workers, so it is called as a const function. Of a Pool<In, void> nothing is
// received: its failures are in finish().
//
// Each job that was accepted is answered exactly once. Results come in the order in which they are
// ready: they belong to jobs by what they hold (or see map()).
//
// Stopping. A run is a scope: it stops by its stop token, its `timeout`, cancel(), set_error(), a
// receiver that leaves, and with OnError::cancel by the first failure. Then what waits is answered
// with Errc::cancelled (or timed_out), bodies are asked to stop, dispatch() says why, and the end
// of the run waits until every body has returned. After `job_timeout` the receiver is given
// timed_out at once; what the body gives later is dropped. One that goes on for `grace` after it
// was asked to stop is named: in finish(), and to `on_stuck`.
//
// Waiting. A plain thread sleeps. A worker that waits for a run works for it meanwhile, so a pool
// within a pool needs no other thread. A body that dispatches to its own run, which all of its
// workers do at that moment and so none makes room, is told Errc::deadlock, as is one that waits
// for its own run to be done.
//
// Threads: everything may be called from any thread, but a Run is ended by one. The Pool outlives
// its runs.
//
// Long because it is all that depends on the types of jobs and results; the rest is in pools/.
#pragma once

#include <iterator>
#include <ranges>
#include <variant>

#include "tram/work/pools/run_core.h"

namespace tram::work {

// The value of what a body returns: T, or the T of a Result<T>.
template <class R>
struct ValueOf {
  using Type = R;
};
template <class T>
struct ValueOf<Result<T>> {
  using Type = T;
};

template <class F, class In>
auto returned_by() {
  if constexpr (std::is_invocable_v<F, In, Context>)
    return std::type_identity<std::invoke_result_t<F, In, Context>>();
  else
    return std::type_identity<std::invoke_result_t<F, In>>();
}

// Whether a body that returns R may be that of a Pool<In, Out>.
template <class R, class Out>
constexpr bool gives = std::is_convertible_v<R, Result<Out>>;
template <class R>
constexpr bool gives<R, void> = std::is_void_v<R> || std::same_as<R, Result<void>>;

// Calls a body with a value, and a Context if it takes one; a Result whatever it does.
template <class T, class F, class In>
Result<T> call_body(F& body, In&& in, const Context& context) {
  auto call = [&]() -> decltype(auto) {
    if constexpr (std::is_invocable_v<F&, In, Context>)
      return std::invoke(body, std::forward<In>(in), context);
    else
      return std::invoke(body, std::forward<In>(in));
  };
  try {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      return Result<T>();
    } else {
      return Result<T>(call());
    }
  } catch (...) {
    return std::unexpected(Error::from_exception(std::current_exception()));
  }
}

template <class In, class Out>
class Pool {
 public:
  using Options = PoolOptions;
  class Run;

  // Throws a Failure with Errc::invalid_argument if an option cannot be: see check().
  template <class F>
  Pool(Runtime& runtime, Options options, F body,
       std::source_location at = std::source_location::current())
      : runtime_(runtime), options_(std::move(options)), at_(at) {
    if (Result<void> good = check(options_); !good) good.error().in(options_.name, at_).raise();
    constexpr bool takes =
        std::is_invocable_v<const F&, In> || std::is_invocable_v<const F&, In, Context>;
    static_assert(
        takes,
        "Pool<In, Out>(runtime, options, body): the body cannot be called with an In, or an "
        "In and a Context. It is shared by all workers, so it must be callable as const: a "
        "lambda without `mutable`.");
    if constexpr (takes) {
      using Given = decltype(returned_by<const F&, In>());
      static_assert(gives<typename Given::type, Out>,
                    "Pool<In, Out>(runtime, options, body): the body returns neither an Out nor a "
                    "Result<Out>. Of a Pool<In, void> it returns nothing, or a Result<void>.");
      body_ = [body = std::move(body)](In&& in, const Context& context) {
        return call_body<Out>(body, std::move(in), context);
      };
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A run of its own queue, workers, results and end; several may be open.
  Run open(std::stop_token stop = {}) const { return Run(*this, options_, std::move(stop)); }
  // The same with other options than the pool's: copy options(), and change some. Throws as the
  // constructor does.
  Run open(const Options& options, std::stop_token stop = {}) const {
    if (Result<void> good = check(options); !good) good.error().in(options.name, at_).raise();
    return Run(*this, options, std::move(stop));
  }
  const Options& options() const { return options_; }

  // Calls f() while nobody else's f() runs: for what bodies of all runs share. It must not wait for
  // anything.
  template <class F>
  decltype(auto) locked(F&& f) const {
    std::lock_guard lock(shared_);
    return std::forward<F>(f)();
  }

 private:
  struct Job : JobBase {
    explicit Job(In given) : content(std::in_place_index<0>, std::move(given)) {}
    explicit Job(Error error)
        : content(std::in_place_index<1>, std::unexpected(std::move(error))) {}
    std::variant<In, Result<Out>> content;
    Result<Out>& result() { return std::get<1>(content); }
    // NOLINTNEXTLINE(performance-unnecessary-value-param): moved from, unless it is trivial.
    static Job& make(auto what) {
      return *new (UnitMemory::take(sizeof(Job))) Job(std::move(what));
    }
    static void destroy(JobBase& job) {
      auto& self = static_cast<Job&>(job);
      self.~Job();
      UnitMemory::give_back(&self, sizeof(Job));
    }
  };
  static_assert(alignof(Job) <= alignof(std::max_align_t));
  class Core;

  Runtime& runtime_;
  const Options options_;
  const std::source_location at_;
  std::move_only_function<Result<Out>(In&&, const Context&) const> body_;
  mutable std::mutex shared_;
};

template <class In, class Out>
class Pool<In, Out>::Core final : public RunCore {
 public:
  Core(const Pool& pool, const Options& options, std::stop_token stop)
      : RunCore(pool.runtime_, options, std::move(stop), pool.at_, !std::is_void_v<Out>),
        pool_(pool) {}
  ~Core() override { end(); }

  Result<void> take(In& in, const DispatchOptions& how, bool may_wait) {
    Job& job = Job::make(std::move(in));
    Result<void> taken = dispatch(job, how, may_wait);
    if (!taken) {
      in = std::move(std::get<0>(job.content));
      Job::destroy(job);
    }
    return taken;
  }
  struct Received {
    uint64_t number;
    Result<Out> result;
  };
  Result<std::optional<Received>> take_result(const Patience& patience) {
    Result<JobBase*> job = receive(patience);
    if (!job) return std::unexpected(job.error());
    if (*job == nullptr) return std::optional<Received>();
    std::optional<Received> received(
        Received{(*job)->number, std::move(static_cast<Job&>(**job).result())});
    Job::destroy(**job);
    return received;
  }
  Unit<std::optional<Result<Out>>> next(const Spawner& in) {
    auto [unit, promise] = in.template external<std::optional<Result<Out>>>("result of a pool");
    receive(*new ResultUnit(*this, std::move(promise)));
    return std::move(unit);
  }
  const Pool& pool() const { return pool_; }

 private:
  struct ResultUnit : ResultWaiting {
    ResultUnit(Core& of, Promise<std::optional<Result<Out>>> whose)
        : ResultWaiting(&woken), core(of), promise(std::move(whose)) {}
    static void woken(Waiting& waiting) {
      std::unique_ptr<ResultUnit> self(static_cast<ResultUnit*>(&waiting));
      if (self->job == nullptr) {
        self->promise.set_value();
      } else if (self->promise.set_value(std::move(static_cast<Job&>(*self->job).result()))) {
        Job::destroy(*self->job);
      } else {
        // It was cancelled, so nothing was moved.
        self->core.give_back(*self->job);
      }
    }
    Core& core;
    Promise<std::optional<Result<Out>>> promise;
  };
  void invoke(JobBase& job, Context context) override {
    auto& content = static_cast<Job&>(job).content;
    In in = std::move(std::get<0>(content));
    auto& result = content.template emplace<1>(pool_.body_(std::move(in), context));
    if (!result) result = std::unexpected(result.error().in(options().name, at()));
  }
  JobBase& make_failed(Error error) override { return Job::make(std::move(error)); }
  const Error* error_of(const JobBase& job) const override {
    auto& content = static_cast<const Job&>(job).content;
    auto* result = std::get_if<1>(&content);
    return result == nullptr || result->has_value() ? nullptr : &result->error();
  }
  void destroy(JobBase& job) override { Job::destroy(job); }

  const Pool& pool_;
};

template <class In, class Out>
class Pool<In, Out>::Run {
 public:
  // What feeds it: see feed().
  class Intake {
   public:
    // Waits for room, for as long as the queue_timeout at most. Errors: closed; cancelled and
    // timed_out, when the run stops, or by `how`; overloaded, after queue_timeout; deadlock, where
    // waiting could never end. `in` is moved from only on success.
    Result<void> dispatch(In&& in, const DispatchOptions& how = {}) {
      return core_->take(in, how, true);
    }
    Result<void> dispatch(const In& in, const DispatchOptions& how = {})
      requires(std::copy_constructible<In>)
    {
      In copy(in);
      return core_->take(copy, how, true);
    }
    // Never waits: Errc::overloaded if there is no room.
    Result<void> try_dispatch(In&& in, Priority priority = Priority::normal) {
      return core_->take(in, {.priority = priority}, false);
    }
    Result<void> try_dispatch(const In& in, Priority priority = Priority::normal)
      requires(std::copy_constructible<In>)
    {
      In copy(in);
      return core_->take(copy, {.priority = priority}, false);
    }
    // Of the run.
    bool stopped() const { return core_->scope().stopped(); }

   private:
    friend class Run;
    explicit Intake(Core& core) : core_(&core) {}
    Core* core_;
  };

  // Cancels what is not finished, and waits until every body has returned.
  ~Run() = default;
  Run(Run&&) noexcept = default;
  Run& operator=(Run&&) = delete;

  Result<void> dispatch(In&& in, const DispatchOptions& how = {}) {
    return Intake(*core_).dispatch(std::move(in), how);
  }
  Result<void> dispatch(const In& in, const DispatchOptions& how = {})
    requires(std::copy_constructible<In>)
  {
    return Intake(*core_).dispatch(in, how);
  }
  Result<void> try_dispatch(In&& in, Priority priority = Priority::normal) {
    return Intake(*core_).try_dispatch(std::move(in), priority);
  }
  Result<void> try_dispatch(const In& in, Priority priority = Priority::normal)
    requires(std::copy_constructible<In>)
  {
    return Intake(*core_).try_dispatch(in, priority);
  }
  // Runs f(intake) beside everything else. A run that was fed is closed when the last feed has
  // returned and somebody asks for a result, or for the end: so all feeds are given before that. If
  // f throws, that is an error of the run, and stops it.
  template <class F>
    requires std::invocable<F&, Intake&>
  void feed(F f) {
    core_->feed_begins();
    core_->scope().spawn(Name("feed"), [core = core_.get(), f = std::move(f)]() mutable {
      Intake intake(*core);
      try {
        f(intake);
      } catch (...) {
        core->set_error(Error::from_exception(std::current_exception())
                            .in("feed of " + core->options().name, core->at()));
      }
      core->feed_ends();
    });
  }
  // The same for each element of a range; of an lvalue, it must outlive the run.
  template <std::ranges::input_range Range>
  void feed(Range&& range) {
    feed([all = std::views::all(std::forward<Range>(range))](Intake& in) mutable {
      for (auto&& element : all)
        if (!in.dispatch(In(std::forward<decltype(element)>(element)))) break;
    });
  }
  // Takes nothing more. What was accepted is done.
  void close() { core_->close(); }

  // The next result; no value at the end. Fails only with timed_out or cancelled, by `patience`,
  // and with deadlock.
  auto receive(const Patience& patience = {})
    requires(!std::is_void_v<Out>)
  {
    Result<std::optional<Result<Out>>> next;
    auto received = core_->take_result(patience);
    if (!received)
      next = std::unexpected(received.error());
    else if (*received)
      next->emplace(std::move((*received)->result));
    return next;
  }
  // The same as a unit, in the scope of the caller: `co_await run.next(c)`. No thread waits; a
  // thread that waits is served before it. If it is cancelled, nothing is lost: the result is the
  // next one's.
  auto next(const Spawner& in)
    requires(!std::is_void_v<Out>)
  {
    return core_->next(in);
  }
  class Received;
  // All results, until the run is closed and done. Whoever leaves the loop before that cancels the
  // run.
  Received received()
    requires(!std::is_void_v<Out>)
  {
    return Received(*core_);
  }

  // -- Counting work that is not (yet) dispatched, as in: add(1) before, done() after.
  void add(uint64_t count = 1) { core_->add(count); }
  void done() { core_->done(); }
  // Until nothing waits or runs, and each add() has had its done(). The run stays open. Somebody
  // must receive meanwhile, if there are more results than the window holds. Errors: as the run
  // stopped.
  Result<void> wait() { return core_->wait(); }

  // Closes it (or waits for its feeds to end), drops results that nobody has received, and waits
  // for everything to be over. The first error, with all others in all(); cancelled or timed_out if
  // the run was stopped and nothing else failed. Of a thousand errors and more, the first thousand.
  Result<void> finish() { return core_->finish(); }

  void cancel() { core_->cancel(); }
  // The first error so far, whoever's; no value if there is none.
  std::optional<Error> error() const { return core_->error(); }
  // Stops the run with this error, if it is the first.
  void set_error(Error error) { core_->set_error(std::move(error)); }
  template <class F>
  decltype(auto) locked(F&& f) const {
    return core_->pool().locked(std::forward<F>(f));
  }
  RunStats stats() const { return core_->stats(); }

  // For the parts of this library.
  Core& core() { return *core_; }

 private:
  friend class Pool;
  Run(const Pool& pool, const Options& options, std::stop_token stop)
      : core_(std::make_unique<Core>(pool, options, std::move(stop))) {}

  std::unique_ptr<Core> core_;
};

template <class In, class Out>
class Pool<In, Out>::Run::Received {
 public:
  class Iterator {
   public:
    using value_type = Result<Out>;
    using difference_type = ptrdiff_t;
    Result<Out>& operator*() const { return *of_->current_; }
    Iterator& operator++() {
      of_->advance();
      return *this;
    }
    void operator++(int) { of_->advance(); }
    bool operator==(std::default_sentinel_t) const { return !of_->current_.has_value(); }

   private:
    friend class Received;
    explicit Iterator(Received& of) : of_(&of) {}
    Received* of_;
  };

  ~Received() {
    if (!at_end_) core_.leave();
  }
  Received(const Received&) = delete;
  Received& operator=(const Received&) = delete;
  Iterator begin() {
    advance();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  friend class Run;
  explicit Received(Core& core) : core_(core) {}
  void advance() {
    current_.reset();
    auto next = core_.take_result({});
    if (!next)
      core_.set_error(next.error());
    else if (*next)
      current_.emplace(std::move((*next)->result));
    at_end_ = !current_.has_value();
  }
  Core& core_;
  bool at_end_ = false;
  std::optional<Result<Out>> current_;
};

// body(element) for each element of the range, by a pool: the results in the order of the elements.
// Of what was not run, because the whole was stopped, the result says so. The queue and the window
// of results are as large as the range.
template <std::ranges::input_range Range, class F>
auto map(Runtime& runtime, Range&& range, F body, PoolOptions options = {},
         std::stop_token stop = {}, std::source_location at = std::source_location::current()) {
  // An iterator stands for its element, where that stays in its place.
  constexpr bool stays = std::ranges::forward_range<Range>;
  using Place = std::ranges::iterator_t<Range>;
  using In = std::conditional_t<stays, Place, std::ranges::range_value_t<Range>>;
  using Element = std::conditional_t<stays, std::ranges::range_reference_t<Range>,
                                     std::ranges::range_value_t<Range>>;
  static_assert(
      std::is_invocable_v<const F&, Element> || std::is_invocable_v<const F&, Element, Context>,
      "map(runtime, range, body): the body cannot be called with an element of the range, or "
      "one and a Context. It is shared by all workers, so it must be callable as const.");
  auto pass = [&](In& in) -> Element {
    if constexpr (stays)
      return *in;
    else
      return std::move(in);
  };
  auto call = [&body, &pass](In in, const Context& context) {
    if constexpr (std::is_invocable_v<const F&, Element, Context>)
      return std::as_const(body)(pass(in), context);
    else
      return std::as_const(body)(pass(in));
  };
  using Out = typename ValueOf<
      std::decay_t<decltype(call(std::declval<In>(), std::declval<Context>()))>>::Type;
  // A void result has no place in a queue of results: something stands for it.
  using Kept = std::conditional_t<std::is_void_v<Out>, std::monostate, Out>;
  std::vector<Result<Out>> results;
  options.queue = unbounded;
  options.results = unbounded;
  Pool<In, Kept> pool(
      runtime, std::move(options),
      [&call](In in, const Context& context) {
        if constexpr (std::is_void_v<Out>)
          return then(call_body<void>(call, std::move(in), context),
                      [] { return std::monostate(); });
        else
          return call(std::move(in), context);
      },
      at);
  auto run = pool.open(std::move(stop));
  std::optional<Error> refused;
  if constexpr (std::ranges::sized_range<Range>) results.reserve(std::ranges::size(range));
  for (auto place = std::ranges::begin(range); place != std::ranges::end(range); ++place) {
    if (!refused) {
      Result<void> taken;
      if constexpr (stays)
        taken = run.dispatch(In(place));
      else
        taken = run.dispatch(In(*place));
      if (!taken) refused = taken.error();
    }
    results.push_back(std::unexpected(refused ? *refused : Error(Errc::cancelled)));
  }
  run.close();
  for (;;) {
    auto next = run.core().take_result({});
    if (!next) {
      for (Result<Out>& result : results)
        if (!result && result.error() == Errc::cancelled) result = std::unexpected(next.error());
      break;
    }
    if (!*next) break;
    auto& [number, result] = **next;
    if constexpr (std::is_void_v<Out>)
      results[number] = then(std::move(result), [](std::monostate) {});
    else
      results[number] = std::move(result);
  }
  return results;
}

}  // namespace tram::work
