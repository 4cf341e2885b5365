// What GCC 12 does wrong with co_await, reproduced: what our examples and docs/work/coroutines.md
// tell users to avoid, and, beside each, the form that is right on every compiler.
//
// Nothing of the library is used, only a coroutine type of twenty lines, so that what is seen is
// the compiler's doing. Objects are counted and their addresses kept, and they own no memory: a
// destruction too many is seen here and breaks nothing. A compiler that gets a form right is named
// in a message, since then the rule that forbids the form may go; one that gets it wrong in another
// way than the known ones fails the test.
//
// Not here because GCC 12 does not compile it ("array used as initializer"): a braced list among
// the arguments of what is awaited, co_await f({a, b}), or co_await within such a list.
#include <coroutine>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <exception>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace {

struct Seen {
  int made = 0;
  int destroyed = 0;
  int never_made = 0;  // Destroyed where nothing was made, or was destroyed before.
  int used_dead = 0;
  bool fine() const { return made == destroyed && never_made == 0 && used_dead == 0; }
};
Seen seen;
std::set<const void*> alive;

struct Counted {
  explicit Counted(int number = 7) : value(number) { make(); }
  Counted(const Counted& other) : value(other.look()) { make(); }
  Counted& operator=(const Counted& other) {
    value = other.look();
    return *this;
  }
  ~Counted() {
    ++seen.destroyed;
    if (alive.erase(this) == 0) ++seen.never_made;
  }
  void make() {
    ++seen.made;
    alive.insert(this);
  }
  int look() const {
    if (!alive.contains(this)) ++seen.used_dead;
    return value;
  }
  int value;
};

std::coroutine_handle<> parked;
struct Park {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> at) { parked = at; }
  void await_resume() const noexcept {}
};

template <class T>
struct Lazy {
  struct promise_type {
    // What a frame is made of is never zero by chance.
    static void* operator new(size_t size) { return std::memset(std::malloc(size), 0xa5, size); }
    static void operator delete(void* frame) { std::free(frame); }
    Lazy get_return_object() {
      return Lazy(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> at) noexcept {
        return at.promise().next ? at.promise().next : std::noop_coroutine();
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void return_value(const T& given) { value = given; }
    void unhandled_exception() { thrown = std::current_exception(); }
    std::optional<T> value;
    std::exception_ptr thrown;
    std::coroutine_handle<> next;
  };
  explicit Lazy(std::coroutine_handle<promise_type> of) : handle(of) {}
  Lazy(Lazy&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  ~Lazy() {
    if (handle) handle.destroy();
  }
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> at) {
    handle.promise().next = at;
    return handle;
  }
  T await_resume() {
    if (handle.promise().thrown) std::rethrow_exception(handle.promise().thrown);
    return *handle.promise().value;
  }
  std::coroutine_handle<promise_type> handle;
};

// What might be awaited: something that is no coroutine and keeps a callable, as spawn() does; and
// coroutines with each kind of parameter.
template <class F>
struct Kept {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> at) { parked = at; }
  int await_resume() { return body(); }
  F body;
};
template <class F>
Kept<F> spawned(F body) {
  return Kept<F>{std::move(body)};
}
template <class F, class... As>
// NOLINTNEXTLINE(performance-unnecessary-value-param): as spawn() takes them.
auto spawned_with(F body, As... arguments) {
  return spawned([body, arguments...] { return body(arguments...); });
}
Lazy<int> called(std::function<int()> body) {
  co_await Park();
  co_return body();
}
Lazy<int> by_value(Counted c) {
  co_await Park();
  co_return c.look();
}
Lazy<int> by_reference(const Counted& c) {
  co_await Park();
  co_return c.look();
}
struct Options {
  Counted counted;
  int number = 0;
};
Lazy<int> with_options(Options options) {
  co_await Park();
  co_return options.counted.look() + options.number;
}
Lazy<Counted> gives() {
  co_await Park();
  co_return Counted(5);
}
Lazy<int> throws(Counted c) {
  co_await Park();
  if (c.look() == 7) throw 5;
  co_return 1;
}
int both(const Counted& a, const Counted& b) { return a.look() + b.look(); }
int look(const Counted& c) { return c.look(); }
const bool yes = true;

// ---- To be avoided --------------------------------------------------------------------------

Lazy<int> lambda_that_captures() {
  int n = co_await spawned([c = Counted()] { return c.look(); });
  co_return n;
}
Lazy<int> lambda_given_to_a_coroutine() {
  int n = co_await called([c = Counted()] { return c.look(); });
  co_return n;
}
Lazy<int> lambda_called_at_once() {
  int n = co_await [c = Counted()]() -> Lazy<int> {
    co_await Park();
    co_return c.look();
  }();
  co_return n;
}
Lazy<int> braces_among_the_arguments() {
  int n = co_await with_options({.counted = Counted(), .number = 1});
  co_return n;
}
Lazy<int> named_type_with_braces() {
  int n = co_await with_options(Options{Counted(), 1});
  co_return n;
}
Lazy<int> co_await_in_braces() {
  Options options{co_await gives(), co_await by_value(Counted())};
  co_return options.counted.look();
}
Lazy<int> co_await_in_an_array() {
  Counted both_of_them[2] = {co_await gives(), co_await gives()};
  co_return both_of_them[0].look();
}
Lazy<int> arms_among_the_arguments() {
  int n = co_await by_value(yes ? co_await gives() : Counted(4));
  co_return n;
}

struct Direct {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> at) { parked = at; }
  int await_resume() { return counted.look(); }
  Counted counted;
};
Direct direct(int n) { return Direct{Counted(n)}; }
Lazy<int> co_await_of_either_arm() {
  int n = co_await (yes ? direct(1) : direct(2));
  co_return n;
}

// These are worse: the coroutine declares no variable, and then its frame is not made ready before
// it runs.
Lazy<int> in_a_condition() {
  if (co_await by_value(Counted()) == 7) co_return 1;
  co_return 2;
}
Lazy<int> in_a_loop_s_condition() {
  while (co_await by_value(Counted()) == 7) co_return 1;
  co_return 2;
}
Lazy<int> in_a_switch() {
  switch (co_await by_value(Counted())) {
    case 7:
      co_return 1;
    default:
      co_return 2;
  }
}

// ---- Right everywhere -----------------------------------------------------------------------

Lazy<int> what_is_spawned_is_named() {
  auto unit = spawned([c = Counted()] { return c.look(); });
  int n = co_await unit;
  co_return n;
}
Lazy<int> task_is_named() {
  auto task = called([c = Counted()] { return c.look(); });
  int n = co_await std::move(task);
  co_return n;
}
Lazy<int> lambda_is_named() {
  auto body = [c = Counted()] { return c.look(); };
  int n = co_await called(body);
  co_return n;
}
Lazy<int> function_and_arguments() {
  int n = co_await spawned_with(look, Counted());
  co_return n;
}
Lazy<int> lambda_without_captures() {
  int n = co_await spawned_with([](const Counted& c) { return c.look(); }, Counted());
  co_return n;
}
Lazy<int> temporary_by_value() { co_return co_await by_value(Counted()); }
Lazy<int> temporary_by_reference() { co_return co_await by_reference(Counted()); }  // PR 95599
Lazy<int> options_are_named() {
  Options options{.counted = Counted(), .number = 1};
  int n = co_await with_options(options);
  co_return n;
}
Lazy<int> two_among_the_arguments() { co_return both(co_await gives(), co_await gives()); }
Lazy<int> one_within_another() {
  int n = co_await by_value(co_await gives());
  co_return n;
}
Lazy<int> if_in_place_of_an_arm() {
  Counted c(4);
  if (yes) c = co_await gives();
  co_return c.look();
}
Lazy<int> loop_over_a_name() {
  int sum = 0;
  for (int i = 0; i < 3; ++i) {
    Counted c = co_await gives();
    sum += co_await by_value(c);
  }
  co_return sum;
}
Lazy<int> named_for_a_condition() {
  bool is_five = co_await by_value(Counted(5)) == 5;
  if (is_five) co_return 1;
  co_return 2;
}
Lazy<int> in_one_arm() {
  Counted c = yes ? Counted(co_await gives()) : Counted(4);
  co_return c.look();
}
Lazy<int> exception_among_temporaries() {
  try {
    int n = both(Counted(), Counted(co_await throws(Counted())));
    co_return n;
  } catch (int) {
    co_return 1;
  }
}
Lazy<int> moved_in_parameters(Counted a, Counted b) {
  co_await Park();
  co_return a.look() + b.look();
}
Lazy<int> parameters() {
  Counted a;
  int n = co_await moved_in_parameters(a, Counted());
  co_return n;
}

struct Form {
  std::string name;
  Lazy<int> (*make)();
};
// Runs it to the end, or destroys it after so many suspensions.
Seen run(const Form& form, int suspensions_max) {
  seen = Seen();
  alive.clear();
  parked = nullptr;
  {
    Lazy<int> coroutine = form.make();
    coroutine.handle.resume();
    for (int i = 0; parked && i < suspensions_max; ++i) std::exchange(parked, nullptr).resume();
  }
  return seen;
}
constexpr int to_the_end = 1000;

// In a process of its own, since anything may happen. What it does to itself is not shown.
bool goes_well_elsewhere(const Form& form) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (int signal : {SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGABRT}) std::signal(signal, SIG_DFL);
    for (int output : {1, 2}) close(output);
    alarm(10);
    _exit(run(form, to_the_end).fine() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
#if defined(__clang__)
constexpr const char* compiler = "Clang " __clang_version__;
#elif defined(__GNUC__)
constexpr const char* compiler = "GCC " __VERSION__;
#else
constexpr const char* compiler = "this compiler";
#endif

}  // namespace

TEST_CASE("co_await: what GCC 12 gets wrong it gets wrong in the ways that we know") {
  std::string right;
  for (Form form : {Form{"a lambda that captures, in the expression", lambda_that_captures},
                    {"the same, given to a coroutine", lambda_given_to_a_coroutine},
                    {"a coroutine lambda that is called at once", lambda_called_at_once},
                    {"braces among the arguments", braces_among_the_arguments},
                    {"a type with braces among the arguments", named_type_with_braces},
                    {"co_await within braces", co_await_in_braces},
                    {"co_await within an array's braces", co_await_in_an_array},
                    {"?: among the arguments", arms_among_the_arguments},
                    {"co_await of either arm of ?:", co_await_of_either_arm}}) {
    CAPTURE(form.name);
    bool fine = true;
    for (int suspensions : {to_the_end, 0}) {
      Seen end = run(form, suspensions);
      CAPTURE(suspensions);
      CAPTURE(end.made);
      CAPTURE(end.destroyed);
      CAPTURE(end.used_dead);
      // A copy is made of bits, and then both are destroyed; or what was never made is, because the
      // other arm was taken.
      bool known = end.destroyed > end.made && end.never_made == end.destroyed - end.made;
      CHECK((end.fine() || known));
      fine &= end.fine();
    }
    if (fine) right += "\n  " + form.name;
  }
  for (const Form& form : {Form{"if (co_await ...), without a variable", in_a_condition},
                           {"while (co_await ...), without a variable", in_a_loop_s_condition},
                           {"switch (co_await ...), without a variable", in_a_switch}})
    if (goes_well_elsewhere(form)) right += "\n  " + form.name;
  if (!right.empty())
    MESSAGE("compiled by " << std::string(compiler)
                           << ", these forms are right: where only such compilers are used, "
                              "docs/work/coroutines.md need not forbid them"
                           << right);
}

TEST_CASE(
    "co_await: the forms that we tell users to write are right, also when given up half-way") {
  for (Form form : {Form{"what is spawned is named", what_is_spawned_is_named},
                    {"a task is named", task_is_named},
                    {"a lambda is named", lambda_is_named},
                    {"a function and its arguments", function_and_arguments},
                    {"a lambda without captures", lambda_without_captures},
                    {"a temporary by value", temporary_by_value},
                    {"a temporary by reference", temporary_by_reference},
                    {"options are named", options_are_named},
                    {"two among the arguments", two_among_the_arguments},
                    {"one within another", one_within_another},
                    {"if in place of ?:", if_in_place_of_an_arm},
                    {"a loop over a name", loop_over_a_name},
                    {"what a condition asks for is named", named_for_a_condition},
                    {"co_await in one arm of ?:", in_one_arm},
                    {"an exception among temporaries", exception_among_temporaries},
                    {"parameters", parameters}}) {
    for (int suspensions : {0, 1, 2, to_the_end}) {
      CAPTURE(form.name);
      CAPTURE(suspensions);
      Seen end = run(form, suspensions);
      CAPTURE(end.made);
      CAPTURE(end.destroyed);
      CAPTURE(end.used_dead);
      CHECK(end.fine());
    }
  }
}
