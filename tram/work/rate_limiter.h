// How often something may happen, with callers that wait for their turn.
//
//   auto limiter = RateLimiter::make(runtime, {.rate = 500, .per = 1s, .burst = 50});
//   if (!limiter->try_acquire()) return reject();
//   scope.spawn_after(call_them, limiter->acquire(scope));   // Or co_await, or get().
//   limiter->pause_for(retry_after);                         // They said 429.
//
// The arithmetic is Gcra's (gcra.h): exact, without refills. This adds the runtime's clock, and a
// line: first come, first served, nobody overtakes, also not with try_acquire(). However many wait,
// there is one timer, for the first; while nobody waits there is none.
//
// Nobody waits in vain: a caller whose turn would come after its deadline is told so at once
// (Errc::overloaded), and so are those in the line when a pause makes it so for them. Whoever gives
// up takes nothing with it, and those behind move up.
//
// Threads: every method from any thread. try_acquire() is one compare-and-swap. The runtime
// outlives it; what waits when it dies ends with Errc::closed.
//
// A batcher may share it (BatchOptions::limit). Its calls do not stand in the line, since nobody
// knows how large they will be: they take what is free when they are ready.
#pragma once

#include "tram/work/gcra.h"
#include "tram/work/scope.h"

namespace tram::work {

class RateLimiter {
 public:
  struct Options {
    uint64_t rate = 0;                             // Tokens in each `per`; at least 1.
    base::Duration per = std::chrono::seconds(1);  // Above 0, at most ten years.
    uint64_t burst = 1;                            // Tokens at once after a quiet time; at least 1.
    size_t waiting_max = 100'000;                  // Callers in the line; more are overloaded.
  };
  // Errors: Errc::invalid_argument, naming the option: as Gcra::make().
  static Result<RateLimiter> make(Runtime& runtime, Options options);
  RateLimiter(RateLimiter&&) noexcept = default;
  RateLimiter& operator=(RateLimiter&& other) noexcept;
  ~RateLimiter();

  // Takes `n` tokens if they may go now and nobody waits. Never true for more than `burst`.
  bool try_acquire(uint64_t n = 1);

  // A unit that ends when `n` tokens are the caller's. It ends without them: with
  //   overloaded        if its turn is known to come later than `at_most` from now, or than the
  //                     deadline of `in`; or if `waiting_max` wait already
  //   cancelled, timed_out   if it, or its scope, is stopped meanwhile
  //   invalid_argument  if `n` is more than `burst`, which could never go
  Unit<void> acquire(const Spawner& in, uint64_t n = 1,
                     base::Duration at_most = base::Duration::forever());

  // Gives out nothing for so long, and then one token at a time: not a whole burst. Never shortens
  // a pause.
  void pause_for(base::Duration duration);

  // How long acquire(n) would wait now. Duration::forever() for more than `burst`.
  base::Duration wait_for(uint64_t n = 1) const;
  size_t waiting() const;

  // For the parts of this library: its tokens, past the line.
  Gcra& gcra();

 private:
  class Core;
  explicit RateLimiter(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  std::shared_ptr<Core> core_;
};

}  // namespace tram::work
