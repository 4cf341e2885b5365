// One piece, though long: taking, sleeping and waking are one protocol, whose proof that no wake-up
// is lost is about the order of loads and stores in all three.
#include "tram/work/scheduler/thread_scheduler.h"

#include <algorithm>

#include "tram/base/assert.h"
#include "tram/work/scheduler/live_count.h"
#include "tram/work/scheduler/unit_memory.h"

namespace tram::work {
namespace {

// How long a worker looks for work before it sleeps: about as long as waking it would cost.
constexpr int searches_max = 60;
constexpr Duration search_max = std::chrono::microseconds(50);
constexpr int searches_without_yield = 6;
constexpr int pauses_per_search = 8;
constexpr size_t injected_at_once_max = 64;
// How often what came from outside, and what is oldest in a worker's own deque, goes first. By time
// for the latter, and seldom: each of a tree's oldest units is the root of its largest part, and
// who begins with that before the other parts are over has more and more of them begun.
constexpr uint32_t injected_first_every = 61;
constexpr Duration oldest_first_after = std::chrono::milliseconds(5);

}  // namespace

struct alignas(64) ThreadScheduler::Worker {
  ThreadScheduler* scheduler = nullptr;
  size_t index = 0;
  Runnable* slot = nullptr;
  bool unannounced = false;
  uint32_t turn = 0;
  Time oldest_first_at = Time::from_nanoseconds(0);
  base::Random random{0};
  WorkDeque deque;

  // Guarded by sleep_mutex_.
  std::condition_variable woken_up;
  bool woken = false;
};

namespace {
// The place that this thread works in. A body may lose it (step_aside) while it runs.
thread_local constinit void* this_worker = nullptr;
// What this thread, which fires timers, has scheduled so far.
struct Gathered {
  const void* scheduler;
  RunnableList tasks;
};
thread_local constinit Gathered* gathered = nullptr;
constexpr size_t gathered_max = 64;
}  // namespace

ThreadScheduler::Worker* ThreadScheduler::current() const {
  auto* worker = static_cast<Worker*>(this_worker);
  return worker != nullptr && worker->scheduler == this ? worker : nullptr;
}

ThreadScheduler::ThreadScheduler(Options options) : options_(options) {
  for (size_t i = 0; i < options_.workers; ++i) {
    auto worker = std::make_unique<Worker>();
    worker->scheduler = this;
    worker->index = i;
    worker->random = base::Random(i + 1);
    workers_.push_back(std::move(worker));
  }
  std::lock_guard lock(places_mutex_);
  for (auto& worker : workers_) {
    ++running_;
    threads_.emplace_back([this, place = worker.get()] { thread_main(place); });
  }
}

ThreadScheduler::~ThreadScheduler() {
  ending_ = true;
  {
    std::lock_guard lock(sleep_mutex_);
    for (auto& worker : workers_) worker->woken_up.notify_all();
  }
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(places_mutex_);
    threads.swap(threads_);
    place_vacant_.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

void ThreadScheduler::thread_main(Worker* worker) {
  while (worker != nullptr) {
    this_worker = worker;
    LiveCount::hold_credits(true);
    work();
    LiveCount::hold_credits(false);
    UnitMemory::settle();
    if (this_worker != nullptr) break;  // The scheduler ends.
    worker = wait_for_place();
  }
  this_worker = nullptr;
}

void ThreadScheduler::work() {
  for (;;) {
    auto* worker = static_cast<Worker*>(this_worker);
    if (worker == nullptr) return;
    Runnable* task = next_task(*worker);
    if (task == nullptr) task = search(*worker);
    if (task != nullptr)
      run(*worker, *task);
    else if (ending_.load(std::memory_order_relaxed) && !work_is_visible())
      return;
  }
}

void ThreadScheduler::run(Worker& worker, Runnable& task) {
  // Woken to search, but something was there at once.
  if (std::exchange(worker.woken, false) && --searching_ == 0 && work_is_visible()) wake_one();
  task.ops->run(task);
  // The body may have stepped aside, and then the place, its slot included, is another thread's.
  if (this_worker == &worker) worker.unannounced = false;
}

Runnable* ThreadScheduler::next_task(Worker& worker) {
  // What was made ready last gives way once in a while.
  if (++worker.turn % injected_first_every == 0) {
    if (Time now = this->now(); now >= worker.oldest_first_at) {
      worker.oldest_first_at = now + oldest_first_after;
      if (Runnable* task = worker.deque.steal(); task != nullptr) return task;
    }
    if (Runnable* task = take_injected(worker, 1); task != nullptr) return task;
  }
  if (Runnable* task = std::exchange(worker.slot, nullptr); task != nullptr) return task;
  if (Runnable* task = worker.deque.pop(); task != nullptr) return task;
  return take_injected(worker, injected_at_once_max);
}

Runnable* ThreadScheduler::take_injected(Worker& worker, size_t at_most) {
  if (injection_.size.load(std::memory_order_seq_cst) == 0) return nullptr;
  Runnable* handful[injected_at_once_max];
  size_t count = 0;
  {
    std::lock_guard lock(injection_.lock);
    std::deque<Runnable*>& tasks = injection_.tasks;
    if (tasks.empty()) return nullptr;
    const size_t fair = tasks.size() / workers_.size() + 1;
    count = std::min({fair, at_most, tasks.size()});
    const auto end = tasks.begin() + static_cast<ptrdiff_t>(count);
    // The deque gives the newest first: backwards, so that they run as they came.
    std::reverse_copy(tasks.begin(), end, handful);
    tasks.erase(tasks.begin(), end);
    injection_.size.store(tasks.size(), std::memory_order_seq_cst);
  }
  // With at most as many in it as fit in a handful: this is called when it is empty, or for one.
  const size_t pushed = worker.deque.push(std::span(handful, count - 1));
  TRAM_ASSERT(pushed == count - 1);
  return handful[count - 1];
}

Runnable* ThreadScheduler::steal(Worker& thief) {
  size_t count = workers_.size();
  size_t start = thief.random.below(count);
  for (size_t i = 0; i < count; ++i) {
    Worker& victim = *workers_[(start + i) % count];
    if (&victim == &thief) continue;
    if (Runnable* task = victim.deque.steal(); task != nullptr) return task;
  }
  return nullptr;
}

Runnable* ThreadScheduler::search(Worker& worker) {
  LiveCount::settle();
  UnitMemory::settle();
  // Settling may have ended something, and so made something ready.
  if (worker.slot != nullptr) return std::exchange(worker.slot, nullptr);
  // Where nobody else runs, nothing comes but from outside. What waits for just that would
  // otherwise wait until this worker has looked around in vain, which takes twenty microseconds.
  if (has_flush_hooks_.load(std::memory_order_relaxed) && idle_.load() + 1 == workers_.size() &&
      flush_early())
    return worker.deque.pop();
  // At most half of the workers look around; the others would only be in their way.
  if (2 * searching_.load() < static_cast<int>(workers_.size()) || worker.woken) {
    if (!std::exchange(worker.woken, false)) ++searching_;
    const Time until = now() + search_max;
    bool late = false;
    for (int i = 0; i < searches_max; ++i) {
      Runnable* task = take_injected(worker, injected_at_once_max);
      if (task == nullptr) task = steal(worker);
      if (task != nullptr) {
        // Where there was something there may be more, and nobody else looks.
        if (--searching_ == 0 && work_is_visible()) wake_one();
        return task;
      }
      if (late) break;
      // A batch that waits for the moment when nobody runs would wait for the slice of whoever is
      // let.
      if (i < searches_without_yield || has_flush_hooks_.load(std::memory_order_relaxed)) {
        for (int pauses = 0; pauses < pauses_per_search; ++pauses) pause_briefly();
        continue;
      }
      // If whoever makes the work shares this processor, this lets it. If it took long, others want
      // the processor too; one look more, and then to sleep: who is woken is let in sooner.
      std::this_thread::yield();
      late = now() > until;
    }
    --searching_;
  }
  sleep(worker);
  return nullptr;
}

void ThreadScheduler::sleep(Worker& worker) {
  {
    std::lock_guard lock(sleep_mutex_);
    if (ending_) return;
    asleep_.push_back(&worker);
    ++sleepers_;
  }
  ++idle_;
  bool stay = !work_is_visible();
  if (stay && idle_.load() == workers_.size() && ask_hooks()) {
    LiveCount::settle();
    stay = worker.slot == nullptr && !work_is_visible();
  }
  {
    std::unique_lock lock(sleep_mutex_);
    if (stay) worker.woken_up.wait(lock, [&] { return worker.woken || ending_; });
    // Whoever woke us took us off the list, and counts us as one who searches.
    if (std::erase(asleep_, &worker) > 0) --sleepers_;
  }
  leave_idle();
}

bool ThreadScheduler::flush_early() {
  ++idle_;
  bool found = false;
  if (!work_is_visible()) {
    std::lock_guard lock(hooks_mutex_);
    found = ask_to_flush();
  }
  leave_idle();
  return found;
}

void ThreadScheduler::leave_idle() {
  --idle_;
  ++idle_ended_;
  // While a hook looks at what waits, nobody may run and so end it.
  if (looking_.load()) std::lock_guard lock(stillness());
}

bool ThreadScheduler::work_is_visible() const {
  if (injection_.size.load(std::memory_order_seq_cst) > 0) return true;
  return std::ranges::any_of(workers_, [](const auto& worker) { return !worker->deque.empty(); });
}

bool ThreadScheduler::idle() const {
  // Between the two looks a worker may wake up and take what was injected. Then it has said so in
  // between, and will ask the hooks itself when it sleeps again.
  uint64_t before = idle_ended_.load();
  return idle_.load() == workers_.size() && injection_.size.load() == 0 &&
         idle_ended_.load() == before;
}

void ThreadScheduler::wake_one() {
  if (sleepers_.load() == 0 || searching_.load() > 0) return;
  Worker* worker = nullptr;
  {
    std::lock_guard lock(sleep_mutex_);
    if (asleep_.empty()) return;
    worker = asleep_.back();
    asleep_.pop_back();
    --sleepers_;
    ++searching_;  // On its behalf: until it has looked around nobody else need be woken.
    worker->woken = true;
  }
  // Without the lock: it may run at once, on this very processor, and wants it.
  worker->woken_up.notify_one();
}

void ThreadScheduler::push(Worker& worker, Runnable& task) {
  if (worker.deque.push(task)) return;
  // Full: the older half goes to the injection queue, where everybody finds it.
  RunnableList older;
  for (int64_t i = 0; i < WorkDeque::capacity / 2; ++i) {
    Runnable* oldest = worker.deque.steal();
    if (oldest == nullptr) break;
    older.push_back(*oldest);
  }
  inject(std::move(older));
  if (!worker.deque.push(task)) inject(task);
}

void ThreadScheduler::inject(RunnableList&& tasks) {
  std::lock_guard lock(injection_.lock);
  while (!tasks.empty()) injection_.tasks.push_back(&tasks.pop_front());
  injection_.size.store(injection_.tasks.size(), std::memory_order_seq_cst);
}

void ThreadScheduler::inject(Runnable& task) {
  std::lock_guard lock(injection_.lock);
  injection_.tasks.push_back(&task);
  injection_.size.store(injection_.tasks.size(), std::memory_order_seq_cst);
}

void ThreadScheduler::schedule(Runnable& task) {
  if (Worker* worker = current(); worker != nullptr) {
    bool first = worker->deque.empty() && !worker->unannounced;
    push(*worker, task);
    if (first)
      worker->unannounced = true;
    else
      wake_one();
    return;
  }
  if (gathered != nullptr && gathered->scheduler == this) {
    gathered->tasks.push_back(task);
    return;
  }
  inject(task);
  wake_one();
}

void ThreadScheduler::fire(std::span<Timer* const> timers) {
  Gathered gathering{.scheduler = this, .tasks = {}};
  gathered = &gathering;
  for (Timer* timer : timers) {
    timer->fire(*timer);
    if (gathering.tasks.size() < gathered_max) continue;
    inject(std::exchange(gathering.tasks, {}));
    wake_one();
  }
  gathered = nullptr;
  schedule(std::move(gathering.tasks));
}

void ThreadScheduler::schedule(RunnableList&& tasks) {
  size_t size = tasks.size();
  if (size == 0) return;
  Worker* worker = current();
  if (worker != nullptr && size <= injected_at_once_max) {
    while (!tasks.empty()) schedule(tasks.pop_front());
    return;
  }
  inject(std::move(tasks));
  wake_one();
}

void ThreadScheduler::schedule_next(Runnable& task) {
  Worker* worker = current();
  if (worker != nullptr && worker->slot == nullptr)
    worker->slot = &task;
  else
    schedule(task);
}

void ThreadScheduler::schedule_last(Runnable& task) {
  Worker* worker = current();
  // A worker with nothing else to do takes it itself: nobody need be woken for it.
  bool others = worker == nullptr || worker->slot != nullptr || !worker->deque.empty() ||
                injection_.size.load(std::memory_order_seq_cst) > 0;
  inject(task);
  if (others) wake_one();
}

void ThreadScheduler::announce() {
  Worker* worker = current();
  if (worker == nullptr || !worker->unannounced) return;
  worker->unannounced = false;
  if (!worker->deque.empty()) wake_one();
}

bool ThreadScheduler::on_worker() const { return current() != nullptr; }

Scheduler::Waited ThreadScheduler::wait(Signal& signal) {
  LiveCount::settle();
  if (signal.raised()) return Waited::raised;
  if (current() == nullptr) {
    check_idle();
    signal.wait();
    return Waited::raised;
  }
  if (give_place_away()) {
    signal.wait();
    take_place_back();
    return Waited::raised;
  }
  {
    std::lock_guard lock(places_mutex_);
    if (stuck_ + 1 == workers_.size())
      return signal.raised() ? Waited::raised : Waited::no_thread_left;
    ++stuck_;
  }
  share_all(*current());
  signal.wait();
  std::lock_guard lock(places_mutex_);
  --stuck_;
  return Waited::raised;
}

void ThreadScheduler::step_aside() {
  if (Worker* worker = current(); worker != nullptr && !give_place_away()) share_all(*worker);
}

void ThreadScheduler::share_all(Worker& worker) {
  if (worker.slot != nullptr) push(worker, *std::exchange(worker.slot, nullptr));
  worker.unannounced = false;
  wake_one();
}

bool ThreadScheduler::give_place_away() {
  Worker* worker = current();
  std::lock_guard lock(places_mutex_);
  if (ending_ || (spare_ <= vacant_.size() && running_ >= workers_.size() + options_.blocking_max))
    return false;
  if (worker->slot != nullptr) {
    Runnable* task = std::exchange(worker->slot, nullptr);
    push(*worker, *task);
  }
  LiveCount::hold_credits(false);
  worker->unannounced = false;
  this_worker = nullptr;
  vacant_.push_back(worker);
  if (spare_ >= vacant_.size()) {
    place_vacant_.notify_one();
    return true;
  }
  // Threads that have ended leave their handle; its place is used again.
  for (std::thread::id id : std::exchange(ended_, {})) {
    auto ended = std::ranges::find(threads_, id, &std::thread::get_id);
    if (ended == threads_.end()) continue;
    ended->join();
    threads_.erase(ended);
  }
  ++running_;
  threads_.emplace_back([this] { thread_main(wait_for_place()); });
  return true;
}

void ThreadScheduler::take_place_back() {
  std::lock_guard lock(places_mutex_);
  if (vacant_.empty()) return;
  this_worker = vacant_.back();
  vacant_.pop_back();
  LiveCount::hold_credits(true);
}

ThreadScheduler::Worker* ThreadScheduler::wait_for_place() {
  std::unique_lock lock(places_mutex_);
  ++spare_;
  bool found = place_vacant_.wait_for(lock, options_.spare_idle.chrono(),
                                      [this] { return !vacant_.empty() || ending_; });
  --spare_;
  if (found && !vacant_.empty()) {
    Worker* worker = vacant_.back();
    vacant_.pop_back();
    return worker;
  }
  --running_;
  if (!ending_) ended_.push_back(std::this_thread::get_id());
  return nullptr;
}

unsigned ThreadScheduler::threads() const {
  std::lock_guard lock(places_mutex_);
  return running_;
}

void ThreadScheduler::add(IdleHook& hook) {
  std::lock_guard lock(hooks_mutex_);
  if (!hook.linked()) hooks_[static_cast<size_t>(hook.rank())].push_back(hook);
  if (hook.rank() == IdleHook::Rank::flush) has_flush_hooks_ = true;
}

void ThreadScheduler::remove(IdleHook& hook) {
  std::lock_guard lock(hooks_mutex_);
  if (hook.linked()) hooks_[static_cast<size_t>(hook.rank())].erase(hook);
  has_flush_hooks_ = !hooks_[static_cast<size_t>(IdleHook::Rank::flush)].empty();
}

bool ThreadScheduler::ask_to_flush() {
  bool found = false;
  auto& flushing = hooks_[static_cast<size_t>(IdleHook::Rank::flush)];
  for (IdleHook* hook = flushing.first(); hook != nullptr; hook = flushing.next(*hook))
    found |= hook->on_idle();
  return found;
}

bool ThreadScheduler::ask_hooks() {
  std::lock_guard lock(hooks_mutex_);
  bool found = ask_to_flush();
  auto& looking = hooks_[static_cast<size_t>(IdleHook::Rank::deadlock)];
  if (found || looking.empty()) return found;
  std::lock_guard still(stillness());
  looking_ = true;
  if (idle())
    for (IdleHook* hook = looking.first(); hook != nullptr; hook = looking.next(*hook))
      found |= hook->on_idle();
  looking_ = false;
  return found;
}

void ThreadScheduler::check_idle() {
  if (idle()) ask_hooks();
}

}  // namespace tram::work
