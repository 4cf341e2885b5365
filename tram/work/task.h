// Task<T>: work written as a coroutine, which waits without holding a thread.
//
//   Task<Page> page_of(Id id, Context c) {
//     Unit<User> u = c.spawn(load_user, id);
//     User user = co_await u;                                      // throws what it failed with
//     std::vector<Unit<User>> units = c.spawn_each(load_user, user.friends);
//     std::vector<User> friends = co_await all(std::move(units));
//     co_return render(user, friends);
//   }
//   Unit<Page> page = scope.spawn(page_of, id);                    // ends with the task's result
//   Result<Page> now = sync_wait(runtime, page_of_nobody());       // from a plain thread
//
// A Task does nothing until it is awaited, by another task, or is returned by the body of a unit,
// which then ends with what it gives. It is awaited once. What a coroutine is spawned with, a
// lambda and its captures too, lives until its unit is done.
//
// What can be awaited, and what that gives:
//
//   unit              T const&, or T of a unit given up (std::move(unit), c.sleep(1s))
//   unit.as_result()  its Result, also if it failed; so does settled(unit)
//   all(units), or a vector of units      std::vector<T>, once all have ended
//   any(units)        the T of the first that succeeds; fails when all have
//   settled(units)    std::vector<Result<T>>
//   a Task<T>         T, after running it here and now: co_await f(x), or of one given up
//   anything with unit(), which gives a Unit
//   yield()           nothing: others have their turn
//
// Stopping: if its unit is cancelled, or its scope stops, what the coroutine waits for now or next
// throws a Failure that says so (cancelled, timed_out; as_result() and settled() give it): at once,
// unless that ends by itself because of the same stop. What need not be waited for goes on. It then
// leaves, while what it has spawned may still run: so units are given values, not references to
// locals. Coroutines and units that wait for each other in a circle are told Errc::deadlock.
//
// GCC 12 destroys twice what a lambda in an expression with co_await has captured, and what is made
// there with braces or by ?:, and a co_await in the condition of an if may crash. Name it first,
// then await it, as above (docs/work/coroutines.md).
//
// Threads: a coroutine is resumed by any worker, one at a time, and goes on on another one after
// each co_await: hold no lock across one. Cost: its frame, which comes from UnitMemory, and no
// system call; nothing on the stack, however many are awaited one in another or one after another.
#pragma once

#include "tram/work/scope.h"
#include "tram/work/tasks/awaitables.h"

namespace tram::work {

template <class T>
class TaskPromise;

template <class T = void>
class [[nodiscard("a Task does nothing until it is awaited or returned by a unit's body")]] Task {
 public:
  static_assert(std::is_void_v<T> || std::is_object_v<T>,
                "Task<T>: T is a value or void, not a reference.");
  using Value = T;
  using promise_type = TaskPromise<T>;

  Task() = default;
  Task(Task&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    Task dying(std::exchange(promise_, std::exchange(other.promise_, nullptr)));
    return *this;
  }
  ~Task() {
    if (promise_ != nullptr) handle().destroy();
  }

  // False once it was awaited or moved from.
  bool valid() const { return promise_ != nullptr; }

  // For the parts of this library.
  explicit Task(promise_type* adopted) : promise_(adopted) {}
  promise_type& promise() const { return *promise_; }
  std::coroutine_handle<promise_type> handle() const {
    return std::coroutine_handle<promise_type>::from_promise(*promise_);
  }
  void check_valid() const {
    if (promise_ == nullptr)
      throw Failure(Error(Errc::closed, "this Task was awaited or moved from before, or is empty"));
  }

 private:
  promise_type* promise_ = nullptr;
};

// Runs the task on the runtime, in a scope of its own, and waits for it: a Result<T>. From a plain
// thread; a body would hold its own thread meanwhile.
template <class T>
auto sync_wait(Runtime& runtime, Task<T> task, const Scope::Options& options = {}) {
  Scope scope(runtime, options);
  auto unit = scope.spawn([](Task<T> given) { return given; }, std::move(task));
  return std::move(unit).get();
}

// What is the same for all tasks.
class TaskPromiseBase {
 public:
  static void* operator new(size_t size) { return UnitMemory::take(size); }
  static void operator delete(void* frame, size_t size) { UnitMemory::give_back(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class T>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<TaskPromise<T>> at) noexcept {
      TaskPromiseBase& promise = at.promise();
      return promise.awaited_by_ ? promise.run_->transfer(promise.awaited_by_)
                                 : promise.run_->finished();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

  template <class T>
  AwaitUnit<T, false> await_transform(Unit<T>& unit) {
    return {*run_, unit};
  }
  template <class T>
  AwaitUnit<T, false> await_transform(const Unit<T>& unit) {
    return {*run_, unit};
  }
  template <class T>
  AwaitUnit<T, true> await_transform(Unit<T>&& unit) {
    return {*run_, std::move(unit)};
  }
  template <class T>
  AwaitResult<T> await_transform(AsResult<T> of) {
    return {*run_, std::move(of.unit)};
  }
  template <class T>
  AwaitAll<T> await_transform(std::vector<Unit<T>> units) {
    return {*run_, std::move(units)};
  }
  template <class T>
  AwaitAll<T> await_transform(All<T> of) {
    return {*run_, std::move(of.units)};
  }
  template <class T>
  AwaitAny<T> await_transform(Any<T> of) {
    return {*run_, std::move(of.units)};
  }
  template <class T>
  AwaitSettled<T> await_transform(Settled<T> of) {
    return {*run_, std::move(of.units)};
  }
  template <class T>
  AwaitResult<T> await_transform(SettledOne<T> of) {
    return {*run_, std::move(of.unit)};
  }
  AwaitYield await_transform(Yield) { return AwaitYield(*run_); }
  template <class T>
  AwaitTask<T> await_transform(Task<T>&& task) {
    return {*run_, std::move(task)};
  }
  template <class T>
  AwaitTask<T> await_transform(Task<T>& task) {
    static_assert(std::is_void_v<Task<T>>,
                  "co_await task: a Task is awaited once, so it is given up: co_await "
                  "std::move(task), or co_await the call that makes it.");
    return {*run_, std::move(task)};
  }
  template <class A>
    requires requires(A&& of) { Unit(std::forward<A>(of).unit()); }
  auto await_transform(A&& of) {
    return await_transform(std::forward<A>(of).unit());
  }
  template <class A>
    requires(!requires(A&& of) { Unit(std::forward<A>(of).unit()); })
  std::suspend_never await_transform(A&&) {
    static_assert(
        std::is_void_v<A>,
        "In a Task, co_await takes a Unit, unit.as_result(), all(units), any(units), "
        "settled(units), a vector of units, a Task, yield(), or what has unit(). Whatever "
        "ends with a callback becomes a unit with Context::external<T>().");
    return {};
  }

  // For the parts of this library.
  void start(TaskRun& run, std::coroutine_handle<> awaited_by) {
    run_ = &run;
    awaited_by_ = awaited_by;
  }
  const std::exception_ptr& thrown() const { return thrown_; }

 private:
  TaskRun* run_ = nullptr;
  std::coroutine_handle<> awaited_by_;
  std::exception_ptr thrown_;
};

template <class T>
class TaskPromise : public TaskPromiseBase {
 public:
  Task<T> get_return_object() { return Task<T>(this); }
  template <class U = T>
    requires std::convertible_to<U, T>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  // Of one that has come to its end.
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  Task<void> get_return_object() { return Task<void>(this); }
  void return_void() {}
  void take() {}
};

// A body that returned a task: the unit ends with what that gives.
template <class T>
struct Returned<Task<T>> {
  static_assert(!Returned<T>::ends_later,
                "A Task in a unit gives a value or a Result, not a unit or another Task: co_await "
                "that, and co_return what it gives.");
  using Value = typename Returned<T>::Value;
  static constexpr bool ends_later = true;
  static constexpr bool keeps_body = true;
  struct Kept {
    TaskRun run;
    Task<T> task;
  };
  static void hold_up(Task<T>&& task, TypedUnit<Value>& unit, Kept& kept) {
    task.check_valid();
    kept.task = std::move(task);
    kept.task.promise().start(kept.run, nullptr);
    kept.run.begin(unit, kept.task.handle());
  }
  static void conclude(TypedUnit<Value>& unit, Kept& kept) {
    if (!kept.task.valid()) return;
    TaskPromise<T>& promise = kept.task.promise();
    if (promise.thrown() != nullptr) {
      unit.store(
          std::unexpected(Error::from_exception(promise.thrown()).in(unit.name(), unit.at())));
    } else if constexpr (std::is_void_v<T>) {
      unit.store();
    } else {
      unit.store(promise.take());
    }
    kept.task = Task<T>();
  }
  static void interrupt(Kept& kept) { kept.run.interrupt(); }
  static void visit_waits(Kept& kept, Visitor& visitor) { kept.run.visit_waits(visitor); }
};

// A task awaited by another: runs at once, in its place.
template <class T>
class [[nodiscard]] AwaitTask {
 public:
  AwaitTask(TaskRun& run, Task<T>&& task) : run_(run), task_(std::move(task)) {
    task_.check_valid();
  }
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> at) {
    task_.promise().start(run_, at);
    return run_.transfer(task_.handle());
  }
  T await_resume() {
    if (task_.promise().thrown() != nullptr) std::rethrow_exception(task_.promise().thrown());
    return task_.promise().take();
  }

 private:
  TaskRun& run_;
  Task<T> task_;
};

}  // namespace tram::work
