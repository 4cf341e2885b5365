// How work fails: one error, one result, and the exceptions that become them.
//
// Work may throw, or return a Result; whoever waits for it always sees a Result. An Error is one
// word: a bare code, or a shared, unchanging record of what happened, so copying one is cheap and
// may be done by any thread.
#pragma once

#include <cstdint>
#include <exception>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tram::work {

// TRAM_WORK_ERRORS(X): X(code, sentence).
#define TRAM_WORK_ERRORS(X)                                                              \
  X(failed, "the work threw, or said that it failed")                                    \
  X(cancelled, "it was stopped before it was done")                                      \
  X(timed_out, "the time given for it has passed")                                       \
  X(closed, "it takes nothing more: it was closed, or has finished")                     \
  X(overloaded, "too much waits already: try again later, or give it more time or room") \
  X(dependency_failed, "something that it depends on failed, so it was not run")         \
  X(missing_result, "the batch gave no result for this item")                            \
  X(invalid_argument, "an option has a value that it cannot have")                       \
  X(deadlock, "it waits for itself, or for what can never run: nothing else would have told")

enum class Errc : uint8_t {
#define TRAM_WORK_ERROR_CODE(code, sentence) code,
  TRAM_WORK_ERRORS(TRAM_WORK_ERROR_CODE)
#undef TRAM_WORK_ERROR_CODE
};

// Such as "timed_out".
std::string_view name_of(Errc code);
std::string_view sentence_of(Errc code);

class Error {
 public:
  // A bare code: no memory, so a million units can be cancelled with it.
  Error(Errc code) : word_(uintptr_t{static_cast<uint8_t>(code)} << 1 | 1) {}  // NOLINT: implicit
  Error(Errc code, std::string detail, std::exception_ptr cause = nullptr);
  // What a body threw. The error inside a Failure is taken out unchanged.
  static Error from_exception(std::exception_ptr thrown);

  Error(const Error& other) : word_(other.word_) { hold(); }
  Error(Error&& other) noexcept : word_(std::exchange(other.word_, moved_from)) {}
  Error& operator=(Error other) noexcept {
    std::swap(word_, other.word_);
    return *this;
  }
  ~Error() { let_go(); }

  Errc code() const;
  // What in particular was wrong, for people; of an exception, its what(). May be empty.
  std::string_view detail() const;
  // What was thrown, or null.
  std::exception_ptr cause() const;
  // The name of the unit, stage or batch that failed first, and where it was spawned if the call
  // could say so (line() 0 if not).
  std::string_view where() const;
  std::source_location at() const;
  // Of a run or a scope: every failure, the first one first. Of anything else: this one alone.
  std::vector<Error> all() const;

  // "sentence (detail), in 'price' (orders.cc:31)": one line for people.
  std::string text() const;
  // Throws the cause, or a Failure holding this error if there is none.
  [[noreturn]] void raise() const;

  // The same with a place, if it has none yet.
  Error in(std::string_view where, std::source_location at) const;
  // The same, carrying also what failed after it.
  Error with(std::vector<Error> others) const;

  friend bool operator==(const Error& error, Errc code) { return error.code() == code; }

 private:
  struct Record;
  static constexpr uintptr_t moved_from = uintptr_t{static_cast<uint8_t>(Errc::failed)} << 1 | 1;
  explicit Error(Record* record) : word_(reinterpret_cast<uintptr_t>(record)) {}
  Record* record() const { return (word_ & 1) != 0 ? nullptr : reinterpret_cast<Record*>(word_); }
  void hold() const {
    if ((word_ & 1) == 0) hold_record();
  }
  void let_go() const {
    if ((word_ & 1) == 0) let_go_of_record();
  }
  void hold_record() const;
  void let_go_of_record() const;

  uintptr_t word_;
};

template <class T = void>
using Result = std::expected<T, Error>;

// An Error as an exception: what value() and Context::check() throw. A body may throw one too, to
// fail with a code of its own choice.
class Failure : public std::exception {
 public:
  explicit Failure(Error error) : error_(std::move(error)), text_(error_.text()) {}
  const Error& error() const { return error_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Error error_;
  std::string text_;
};

inline std::unexpected<Error> failure(Errc code) { return std::unexpected(Error(code)); }
inline std::unexpected<Error> failure(Errc code, std::string detail) {
  return std::unexpected(Error(code, std::move(detail)));
}

// GCC 12's std::expected has no and_then() and transform(): then(r, f) is f(*r), flattened if f
// gives a Result itself, or r's error.
template <class T, class F>
auto then(Result<T> result, F&& f) {
  auto call = [&] {
    if constexpr (std::is_void_v<T>)
      return std::forward<F>(f)();
    else
      return std::forward<F>(f)(std::move(*result));
  };
  using Given = decltype(call());
  if constexpr (requires(Given given) {
                  given.error();
                  given.has_value();
                }) {
    if (!result) return Given(std::unexpected(result.error()));
    return call();
  } else if constexpr (std::is_void_v<Given>) {
    if (!result) return Result<void>(std::unexpected(result.error()));
    call();
    return Result<void>();
  } else {
    if (!result) return Result<Given>(std::unexpected(result.error()));
    return Result<Given>(call());
  }
}

}  // namespace tram::work
