// Thirty calls of something that takes a hundred a second, five at once: no thread waits.
#include "tram/work/rate_limiter.h"

#include <cstdio>

using namespace tram::work;

int main() {
  Runtime runtime;
  auto limiter = RateLimiter::make(runtime, {.rate = 100, .burst = 5});
  if (!limiter) return std::puts(limiter.error().text().c_str()), 1;
  Scope scope(runtime);
  tram::base::Time began = runtime.now();
  for (int i = 0; i < 30; ++i) scope.spawn_after([] {}, limiter->acquire(scope));
  if (!scope.wait()) return 1;
  auto took = (runtime.now() - began).nanoseconds() / 1'000'000;
  std::printf("30 calls took %d ms, of which 250 had to be\n", static_cast<int>(took));
}
