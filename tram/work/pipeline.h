// Pipeline: items from a source through stages, each with its own workers, to one result.
//
//   Result<Totals> totals =
//       from(orders)                                              // a range, or a callable
//       | stage("parse", {.workers = 4, .queue = 256}, parse)     // string -> Record
//       | stage("price", {.workers = Adaptive{1, 16}}, price)     // Record -> Priced
//       | batch("store", {.max_items = 500}, store_all)           // span<Priced> -> vector<Id>
//       | fold(Totals(), add)                                     // (Totals&, Id)
//       | run(runtime, {.stop = stop, .window = 4096});
//
// What is promised. Nothing runs before run(), which waits until everything is over: every body has
// returned. An item is under way from when the source gave it to when the last stage is done with
// it, and never more than `window` are, whatever the stages do. The source, and what ends the
// pipeline, are called by one thread at a time, the end in the order of the source.
//
// Bodies take the item (as T, T&& or const T&) and, if they want, a Context. A stage's returns
//   U, Result<U>                 one item for the next stage
//   std::optional<U>             or none: a filter; also as a Result<std::optional<U>>
// a batch's, of std::span<T> and one for each, in their order
//   std::vector<U>, std::vector<Result<U>>, or a Result of one of them
// The wrong number is Errc::missing_result for all of them. Bodies are shared by all workers of
// their stage, so they are called as const; only the source may be `mutable`.
//
// Errors. The first failure of a stage stops all others at once (what runs is told when it looks at
// its Context), and is run()'s result, with `where` the stage; what failed besides is in its all().
// With .on_error = skip_to(letters), or OnError::keep_going, the item is dropped and the others go
// on. Stops by `stop` and `timeout` are Errc::cancelled and timed_out. Options that cannot be:
// invalid_argument.
//
// Costs. An item is carried by one thread from stage to stage as far as there are free places: a
// short lock and no memory for each item and stage. Other workers carry other items, from the first
// on; but where a step takes less than half a microsecond one of them does it all, and others come
// when it waits or steps take longer. So a body that blocks says so: `.blocking`, or it waits by
// means of this library. Threads: run() may be called by any; of a
// worker that calls it the pipeline has the work of, too.
#pragma once

#include <variant>

#include "tram/work/pipelines/flow_core.h"
#include "tram/work/pipelines/typed_stage.h"

namespace tram::work {

// What every unfinished and finished pipeline consists of.
struct PipelineParts {
  std::unique_ptr<SourceBase> source;
  std::vector<std::unique_ptr<StageBase>> stages;
  size_t item_size = 0;
  template <class T>
  void make_room_for() {
    item_size = std::max(item_size, (sizeof(T) + alignof(std::max_align_t) - 1) /
                                        alignof(std::max_align_t) * alignof(std::max_align_t));
  }
};

// A pipeline that gives a T at its end so far, and wants another stage, or an end.
template <class T>
struct Flow {
  PipelineParts parts;
};

// A complete one. run() uses it up.
template <class R>
class Pipeline {
 public:
  using Kept = std::conditional_t<std::is_void_v<R>, std::monostate, R>;
  Pipeline(PipelineParts parts, std::shared_ptr<Kept> kept)
      : parts_(std::move(parts)), kept_(std::move(kept)) {}

  // Errors: see above; closed, if it has run already.
  Result<R> run(Runtime& runtime, const PipelineOptions& options = {},
                std::source_location at = std::source_location::current()) {
    if (parts_.source == nullptr) return failure(Errc::closed, "a pipeline runs once");
    if (Result<void> good = FlowCore::check(options, parts_.stages); !good)
      return std::unexpected(good.error());
    PipelineParts parts = std::move(parts_);
    FlowCore core(runtime, options, *parts.source, parts.stages, parts.item_size, at);
    Result<void> done = core.run();
    if (options.stats != nullptr) *options.stats = core.stats();
    if (!done) return std::unexpected(done.error());
    if constexpr (std::is_void_v<R>)
      return {};
    else
      return std::move(*kept_);
  }

 private:
  PipelineParts parts_;
  std::shared_ptr<Kept> kept_;
};

// A range: one that is a temporary is kept, another must outlive the run. Or a callable, returning
// std::optional<T>, or a Result of one; without a value at the end. It may take a Context, and
// should look at it before it waits for long.
template <class S>
auto from(S&& source) {
  if constexpr (std::ranges::input_range<S>) {
    using Range = std::conditional_t<std::is_lvalue_reference_v<S>, S, std::remove_cvref_t<S>>;
    using Source = RangeSource<Range>;
    Flow<typename Source::Item> flow;
    flow.parts.source = std::make_unique<Source>(std::forward<S>(source));
    flow.parts.template make_room_for<typename Source::Item>();
    return flow;
  } else {
    using F = std::decay_t<S>;
    constexpr bool callable = std::is_invocable_v<F&> || std::is_invocable_v<F&, Context>;
    static_assert(callable, "from(source): neither a range nor a callable without arguments.");
    if constexpr (callable) {
      static_assert(
          SourceGives<typename CallSource<F>::Given>::possible,
          "from(callable): it must return std::optional<T>, or Result<std::optional<T>>.");
      using Source = CallSource<F>;
      Flow<typename Source::Item> flow;
      flow.parts.source = std::make_unique<Source>(std::forward<S>(source));
      flow.parts.template make_room_for<typename Source::Item>();
      return flow;
    }
  }
}

// What stands on the right of a |.
template <class F>
struct StageMaker {
  StageBase::Setup setup;
  F body;
};
template <class F>
struct BatchMaker {
  StageBase::Setup setup;
  F body;
};
template <class Kept, class F>
struct FoldMaker {
  StageBase::Setup setup;
  Kept kept;
  F body;
};
template <class F>
struct ForEachMaker {
  StageBase::Setup setup;
  F body;
};
struct CollectMaker {
  StageBase::Setup setup;
};
struct RunWith {
  Runtime& runtime;
  PipelineOptions options;
  std::source_location at;
};

template <class F>
auto stage(std::string name, StageOptions options, F body,
           std::source_location at = std::source_location::current()) {
  return StageMaker<F>{{std::move(name), at, std::move(options)}, std::move(body)};
}

template <class F>
auto batch(std::string name, BatchStageOptions options, F body,
           std::source_location at = std::source_location::current()) {
  return BatchMaker<F>{{std::move(name),
                        at,
                        {.workers = options.inflight,
                         .queue = options.max_items,
                         .ordered = options.ordered,
                         .blocking = options.blocking,
                         .on_error = std::move(options.on_error)},
                        true,
                        options.max_items,
                        options.max_wait},
                       std::move(body)};
}

inline StageBase::Setup end_setup(std::string name, EndOptions options, std::source_location at) {
  return {std::move(name),
          at,
          {.workers = 1,
           .queue = options.queue,
           .ordered = options.ordered,
           .blocking = options.blocking,
           .on_error = std::move(options.on_error)}};
}
// f(kept, item) for each: it changes `kept` in place, or returns the new one; or a Result. Gives
// the last one.
template <class Kept, class F>
auto fold(Kept kept, F body, EndOptions options = {},
          std::source_location at = std::source_location::current()) {
  return FoldMaker<Kept, F>{end_setup("fold", std::move(options), at), std::move(kept),
                            std::move(body)};
}
// f(item) for each: nothing, or a Result<void>. Gives nothing.
template <class F>
auto for_each(F body, EndOptions options = {},
              std::source_location at = std::source_location::current()) {
  return ForEachMaker<F>{end_setup("for_each", std::move(options), at), std::move(body)};
}
// Gives a std::vector of all items.
inline CollectMaker collect(EndOptions options = {},
                            std::source_location at = std::source_location::current()) {
  return {end_setup("collect", std::move(options), at)};
}
inline RunWith run(Runtime& runtime, PipelineOptions options = {},
                   std::source_location at = std::source_location::current()) {
  return {runtime, std::move(options), at};
}

template <class T, class F>
auto operator|(Flow<T> flow, StageMaker<F> maker) {
  static_assert(can_take<F, T>,
                "a stage's body cannot be called with what the stage before it gives (T of "
                "Flow<T>), with or without a Context after it. It is shared by all workers, so it "
                "must be callable as const: a lambda without `mutable`.");
  if constexpr (can_take<F, T>) {
    static_assert(!std::is_void_v<GivenBy<F, T>>,
                  "a stage's body returns nothing: at the end of a pipeline, use for_each(body).");
    using Stage = TypedStage<T, F>;
    Flow<typename Stage::Out> longer{std::move(flow.parts)};
    longer.parts.template make_room_for<typename Stage::Out>();
    longer.parts.stages.push_back(
        std::make_unique<Stage>(std::move(maker.setup), std::move(maker.body)));
    return longer;
  }
}

template <class T, class F>
auto operator|(Flow<T> flow, BatchMaker<F> maker) {
  static_assert(
      can_take<F, std::span<T>>,
      "a batch's body cannot be called with a std::span of what the stage before it gives "
      "(T of Flow<T>), with or without a Context after it.");
  if constexpr (can_take<F, std::span<T>>) {
    static_assert(BatchGives<std::remove_cvref_t<GivenBy<F, std::span<T>>>>::possible,
                  "a batch's body returns std::vector<U>, std::vector<Result<U>>, or a Result of "
                  "one of them.");
    using Stage = TypedBatch<T, F>;
    Flow<typename Stage::Out> longer{std::move(flow.parts)};
    longer.parts.template make_room_for<typename Stage::Out>();
    longer.parts.stages.push_back(
        std::make_unique<Stage>(std::move(maker.setup), std::move(maker.body)));
    return longer;
  }
}

template <class R, class T, class Kept, class F>
Pipeline<R> end_with(Flow<T> flow, StageBase::Setup setup, Kept kept, F body) {
  auto shared = std::make_shared<Kept>(std::move(kept));
  flow.parts.stages.push_back(
      std::make_unique<TypedFold<T, Kept, F>>(std::move(setup), shared, std::move(body)));
  return {std::move(flow.parts), std::move(shared)};
}

template <class T, class Kept, class F>
Pipeline<Kept> operator|(Flow<T> flow, FoldMaker<Kept, F> maker) {
  constexpr bool possible = folds_in_place<T, Kept, F>() || can_take<F, Kept, T>;
  static_assert(
      possible,
      "fold(kept, body): the body can be called neither with (Kept&, T), returning nothing, "
      "nor with (Kept, T), returning a Kept, where T is what the stage before it gives.");
  if constexpr (possible)
    return end_with<Kept>(std::move(flow), std::move(maker.setup), std::move(maker.kept),
                          std::move(maker.body));
}

template <class T, class F>
Pipeline<void> operator|(Flow<T> flow, ForEachMaker<F> maker) {
  static_assert(can_take<F, T>,
                "for_each(body): the body cannot be called with what the stage before it gives.");
  if constexpr (can_take<F, T>) {
    using Given = std::remove_cvref_t<GivenBy<F, T>>;
    static_assert(std::is_void_v<Given> || std::same_as<Given, Result<void>>,
                  "for_each(body): the body returns nothing, or a Result<void>.");
    return end_with<void>(
        std::move(flow), std::move(maker.setup), std::monostate(),
        [body = std::move(maker.body)](std::monostate&, T&& item, const Context& context) {
          return call_with(body, context, std::move(item));
        });
  }
}

template <class T>
Pipeline<std::vector<T>> operator|(Flow<T> flow, CollectMaker maker) {
  return end_with<std::vector<T>>(
      std::move(flow), std::move(maker.setup), std::vector<T>(),
      [](std::vector<T>& all, T&& item) { all.push_back(std::move(item)); });
}

template <class R>
Result<R> operator|(Pipeline<R> pipeline, RunWith with) {
  return pipeline.run(with.runtime, with.options, with.at);
}

}  // namespace tram::work
