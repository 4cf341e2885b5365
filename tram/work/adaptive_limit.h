// A limit on how much is under way at once, for many threads, that finds its own height.
//
//   AdaptiveLimit limit(*LimitController::make({.min = 4, .max = 256}));
//   if (auto permit = limit.try_acquire(clock.now())) {
//     auto answer = call();
//     permit->report(answer ? Outcome::ok : Outcome::timed_out, clock.now());
//   }
//
// What it learns from is in limit_controller.h; this adds the permits, the threads, and a line for
// those who would rather wait: first come, first served, nobody overtakes.
//
//   scope.spawn_after([](const auto& permit) { ... }, limit.acquire(scope));   // Or co_await.
//
// Threads: everything from any thread. try_acquire() is a compare-and-swap; a report is a short
// mutex and a decrement, and then whoever waits gets what is free. Nothing allocates but units that
// wait, and what `on_change` does.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "tram/work/limit_controller.h"
#include "tram/work/scope.h"

namespace tram::work {

class AdaptiveLimit {
 public:
  // Hears of every change, in the thread whose report caused it and outside of all locks: it may
  // use the limit. Two threads' changes may be heard in either order; each says when it was.
  using OnChange = std::function<void(const LimitChange&)>;

  // The right to be under way. The limit outlives its permits, and those who wait for one.
  //
  // Destroyed without a report it gives its place back: as a drop if an exception is leaving the
  // scope that took it, otherwise as if cancelled. The drop is dated to the latest report of
  // anybody's, since a destructor is told no time.
  class Permit {
   public:
    Permit(Permit&& other) noexcept
        : limit_(std::exchange(other.limit_, nullptr)),
          began_(other.began_),
          in_flight_(other.in_flight_),
          exceptions_(other.exceptions_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit();
    // How it ended, and that it has. The first report counts; later ones do nothing.
    void report(Outcome outcome, base::Time now);

   private:
    friend class AdaptiveLimit;
    Permit(AdaptiveLimit& limit, base::Time began, uint32_t in_flight);

    AdaptiveLimit* limit_;  // Null once reported or moved from.
    base::Time began_;
    uint32_t in_flight_;
    int exceptions_;  // How many were leaving when it was taken.
  };

  // At most `waiting_max` units wait.
  explicit AdaptiveLimit(LimitController controller, OnChange on_change = {},
                         size_t waiting_max = 100'000);
  AdaptiveLimit(const AdaptiveLimit&) = delete;
  AdaptiveLimit& operator=(const AdaptiveLimit&) = delete;
  ~AdaptiveLimit();

  // Nothing when as many are under way as may be, or somebody waits. Never more than limit() are
  // given out, though those given out before it fell stay.
  std::optional<Permit> try_acquire(base::Time now);
  // A unit that ends with a permit when its turn has come: move it out, `std::move(unit).get()`, or
  // use it where it is; it is let go of with the unit. Without one it ends with
  //   overloaded             if `waiting_max` wait already
  //   cancelled, timed_out   if it, or its scope, is stopped meanwhile
  Unit<Permit> acquire(const Spawner& in);
  // For ByQueueFill: see LimitController.
  void observe_queue(uint64_t waiting, uint64_t capacity, base::Time now);

  uint32_t limit() const { return limit_.load(std::memory_order_relaxed); }
  uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  size_t waiting() const;
  // Zero until it is known: the latency without a queue, for people to read.
  base::Duration baseline() const;

 private:
  class Line;
  bool take_place(uint32_t& under_way);
  // Gives places that are free to those who wait.
  void serve();
  // `now` is absent where nobody says it.
  void end(const Permit& permit, Outcome outcome, std::optional<base::Time> now);
  void heard(const std::optional<LimitChange>& change) const;

  // Apart, since each acquire and end writes the one, and reads the other.
  alignas(64) std::atomic<uint32_t> in_flight_ = 0;
  alignas(64) std::atomic<uint32_t> limit_;
  mutable std::mutex mutex_;
  LimitController controller_;  // Guarded by mutex_.
  const OnChange on_change_;
  const std::shared_ptr<Line> line_;
};

}  // namespace tram::work
