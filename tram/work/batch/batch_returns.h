// What a batch function may return, and which of it is whose.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tram/work/unit.h"

namespace tram::work {

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<Result<T>> = true;
template <class T>
inline constexpr bool is_unit = false;
template <class T>
inline constexpr bool is_unit<Unit<T>> = true;

template <class R, class Key, class Value>
concept ResultsInOrder = requires(R& results) {
  { results.size() } -> std::convertible_to<size_t>;
  Result<Value>(std::move(results[size_t{0}]));
} && !requires { typename R::mapped_type; };

template <class R, class Key, class Value>
concept ResultsByKey = requires(R& results, const Key& key) {
  typename R::mapped_type;
  Result<Value>(std::move(results.find(key)->second));
  results.end();
};

// void, for a Batcher<Key, void>: all is well.
template <class R, class Key, class Value>
concept BatchResults = (std::is_void_v<R> && std::is_void_v<Value>) ||
                       ResultsInOrder<R, Key, Value> || ResultsByKey<R, Key, Value>;

// R without Unit<> and Result<> around it.
template <class R>
struct BareResults {
  using Type = R;
};
template <class R>
struct BareResults<Unit<R>> {
  using Type = R;
};
template <class R>
struct BareResults<Result<R>> {
  using Type = R;
};

// Gives out, one after the other, the results of some keys. Of a failed call, its error for each.
template <class Key, class Value, class R>
class Answers {
 public:
  Answers(Result<R> results, std::span<const Key> keys, std::string_view where)
      : results_(std::move(results)), keys_(keys), where_(where) {
    if (!results_) results_ = std::unexpected(results_.error().in(where_, std::source_location()));
    if constexpr (ResultsInOrder<R, Key, Value>)
      if (results_ && results_->size() != keys.size())
        results_ = std::unexpected(
            Error(Errc::missing_result, "the batch function returned " +
                                            std::to_string(results_->size()) + " results for " +
                                            std::to_string(keys.size()) + " keys")
                .in(where_, std::source_location()));
  }
  Result<Value> take(size_t index) {
    if (!results_) return std::unexpected(results_.error());
    if constexpr (std::is_void_v<R>) {
      return {};
    } else if constexpr (ResultsByKey<R, Key, Value>) {
      auto found = results_->find(keys_[index]);
      if (found != results_->end()) {
        // Without dedup a key may be there twice: of what cannot be copied, the first has it.
        if constexpr (std::copy_constructible<Value>) {
          return named(Result<Value>(found->second));
        } else {
          Result<Value> result(std::move(found->second));
          results_->erase(found);
          return named(std::move(result));
        }
      }
      return std::unexpected(
          Error(Errc::missing_result, "the batch function returned nothing for this key")
              .in(where_, std::source_location()));
    } else {
      return named(Result<Value>(std::move((*results_)[index])));
    }
  }
  const Error* error() const { return results_ ? nullptr : &results_.error(); }

 private:
  Result<Value> named(Result<Value> result) const {
    if (!result) result = std::unexpected(result.error().in(where_, std::source_location()));
    return result;
  }
  Result<R> results_;
  std::span<const Key> keys_;
  std::string_view where_;
};

}  // namespace tram::work
