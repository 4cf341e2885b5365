// Stages with their types: how their bodies are called, and what becomes of what they return.
#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <ranges>
#include <span>
#include <type_traits>

#include "tram/work/pipelines/stage.h"

namespace tram::work {

// What a body that returns R hands on: a U, a Result<U>, or, to drop some, std::optional<U> of
// either.
template <class R>
struct Handed {
  using Value = R;
  template <class Put>
  static void with(R&& given, Token&, std::optional<Error>&, Put&& put) {
    put(std::move(given));
  }
};
template <class U>
struct Handed<std::optional<U>> {
  using Value = typename Handed<U>::Value;
  template <class Put>
  static void with(std::optional<U>&& given, Token& token, std::optional<Error>& failure,
                   Put&& put) {
    if (given.has_value())
      Handed<U>::with(std::move(*given), token, failure, put);
    else
      token.dropped = true;
  }
};
template <class U>
struct Handed<Result<U>> {
  using Value = typename Handed<U>::Value;
  template <class Put>
  static void with(Result<U>&& given, Token& token, std::optional<Error>& failure, Put&& put) {
    if (given.has_value())
      Handed<U>::with(std::move(*given), token, failure, put);
    else
      failure = std::move(given.error());
  }
};

// A body with what it is given, and a Context after it if it takes one.
template <class F, class... As>
constexpr bool can_take =
    std::is_invocable_v<const F&, As...> || std::is_invocable_v<const F&, As..., Context>;
template <class F, class... As>
decltype(auto) call_with(const F& body, const Context& context, As&&... given) {
  if constexpr (std::is_invocable_v<const F&, As..., Context>)
    return std::invoke(body, std::forward<As>(given)..., context);
  else
    return std::invoke(body, std::forward<As>(given)...);
}
template <class F, class... As>
using GivenBy = decltype(call_with(std::declval<const F&>(), std::declval<const Context&>(),
                                   std::declval<As>()...));

template <class In, class F>
class TypedStage final : public StageBase {
 public:
  using Given = std::remove_cvref_t<GivenBy<F, In>>;
  using Out = typename Handed<Given>::Value;
  TypedStage(Setup setup, F body) : StageBase(std::move(setup)), body_(std::move(body)) {}

  std::optional<Error> process(Token& token, const Context& context) override {
    std::optional<Error> failure;
    try {
      Given given = call_with(body_, context, std::move(token.item<In>()));
      Handed<Given>::with(std::move(given), token, failure,
                          [&](Out&& out) { token.put<Out>(std::move(out)); });
    } catch (...) {
      failure = Error::from_exception(std::current_exception());
    }
    if (token.dropped) token.clear();
    return failure;
  }

 private:
  const F body_;
};

// What a batch's body may return: a vector of what a stage's body may, or a Result of one.
template <class R>
struct BatchGives {
  static constexpr bool possible = false;
};
template <class E>
struct BatchGives<std::vector<E>> {
  static constexpr bool possible = true;
  using Each = E;
};
template <class E>
struct BatchGives<Result<std::vector<E>>> : BatchGives<std::vector<E>> {};

template <class In, class F>
class TypedBatch final : public StageBase {
 public:
  using Given = std::remove_cvref_t<GivenBy<F, std::span<In>>>;
  using Each = typename BatchGives<Given>::Each;
  using Out = typename Handed<Each>::Value;
  TypedBatch(Setup setup, F body) : StageBase(std::move(setup)), body_(std::move(body)) {}

  void process_many(const std::vector<Token*>& tokens, const Context& context,
                    std::vector<std::optional<Error>>& failures) override {
    std::optional<Error> of_all;
    try {
      std::vector<In> items;
      items.reserve(tokens.size());
      for (Token* token : tokens) items.push_back(std::move(token->item<In>()));
      Result<std::vector<Each>> given = call_with(body_, context, std::span<In>(items));
      if (given.has_value())
        of_all = split(*given, tokens, failures);
      else
        of_all = std::move(given.error());
    } catch (...) {
      of_all = Error::from_exception(std::current_exception());
    }
    if (of_all) std::ranges::fill(failures, of_all);
  }

 private:
  static std::optional<Error> split(std::vector<Each>& given, const std::vector<Token*>& tokens,
                                    std::vector<std::optional<Error>>& failures) {
    if (given.size() != tokens.size())
      return Error(Errc::missing_result, std::to_string(given.size()) + " results for " +
                                             std::to_string(tokens.size()) + " items");
    for (size_t i = 0; i < tokens.size(); ++i) {
      Token& token = *tokens[i];
      Each each = std::move(given[i]);
      Handed<Each>::with(std::move(each), token, failures[i],
                         [&](Out&& out) { token.put<Out>(std::move(out)); });
      if (token.dropped) token.clear();
    }
    return std::nullopt;
  }

  const F body_;
};

// The last one of a pipeline: folds each item into what there is. Called by one thread at a time.
//   f(Kept&, In) returning nothing or a Result<void>, or f(Kept, In) returning the new one or a
//   Result
template <class In, class Kept, class F>
constexpr bool folds_in_place() {
  if constexpr (can_take<F, Kept&, In>) {
    using Given = GivenBy<F, Kept&, In>;
    return std::is_void_v<Given> || std::same_as<std::remove_cvref_t<Given>, Result<void>>;
  } else {
    return false;
  }
}

template <class In, class Kept, class F>
class TypedFold final : public StageBase {
 public:
  TypedFold(Setup setup, std::shared_ptr<Kept> kept, F body)
      : StageBase(std::move(setup)), kept_(std::move(kept)), body_(std::move(body)) {}

  std::optional<Error> process(Token& token, const Context& context) override {
    try {
      return call(std::move(token.item<In>()), context);
    } catch (...) {
      return Error::from_exception(std::current_exception());
    }
  }

 private:
  std::optional<Error> call(In&& in, const Context& context) {
    if constexpr (folds_in_place<In, Kept, F>()) {
      if constexpr (std::is_void_v<GivenBy<F, Kept&, In>>)
        call_with(body_, context, *kept_, std::move(in));
      else if (Result<void> done = call_with(body_, context, *kept_, std::move(in)); !done)
        return std::move(done.error());
    } else {
      Result<Kept> next = call_with(body_, context, std::move(*kept_), std::move(in));
      if (!next) return std::move(next.error());
      *kept_ = std::move(*next);
    }
    return std::nullopt;
  }

  const std::shared_ptr<Kept> kept_;
  const F body_;
};

template <class Range>
class RangeSource final : public SourceBase {
 public:
  using Item = std::ranges::range_value_t<Range>;
  explicit RangeSource(Range&& range) : range_(std::forward<Range>(range)) {}
  Result<bool> pull(Token& token, const Context&) override {
    try {
      if (!next_) next_.emplace(std::ranges::begin(range_));
      if (*next_ == std::ranges::end(range_)) return false;
      // The elements of a container that was given away are nobody else's.
      if constexpr (!std::is_reference_v<Range> && !std::ranges::view<Range>)
        token.put<Item>(std::ranges::iter_move(*next_));
      else
        token.put<Item>(**next_);
      ++*next_;
      return true;
    } catch (...) {
      return std::unexpected(Error::from_exception(std::current_exception()));
    }
  }

 private:
  Range range_;  // A reference, of an lvalue.
  std::optional<std::ranges::iterator_t<Range>> next_;
};

// A callable that gives std::optional<T>, or a Result of one: without a value at the end.
template <class R>
struct SourceGives {
  static constexpr bool possible = false;
};
template <class T>
struct SourceGives<std::optional<T>> {
  static constexpr bool possible = true;
  using Item = T;
};
template <class T>
struct SourceGives<Result<std::optional<T>>> : SourceGives<std::optional<T>> {};

template <class F>
class CallSource final : public SourceBase {
 public:
  static auto call(F& body, const Context& context) {
    if constexpr (std::is_invocable_v<F&, Context>)
      return body(context);
    else
      return body();
  }
  using Given = decltype(call(std::declval<F&>(), std::declval<const Context&>()));
  using Item = typename SourceGives<Given>::Item;
  explicit CallSource(F body) : body_(std::move(body)) {}
  Result<bool> pull(Token& token, const Context& context) override {
    try {
      Result<std::optional<Item>> next = call(body_, context);
      if (!next) return std::unexpected(std::move(next.error()));
      if (!*next) return false;
      token.put<Item>(std::move(**next));
      return true;
    } catch (...) {
      return std::unexpected(Error::from_exception(std::current_exception()));
    }
  }

 private:
  F body_;
};

}  // namespace tram::work
