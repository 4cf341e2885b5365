// Ten workers price orders; one is bad, one takes too long.
#include "tram/work/pool.h"

#include <cstdio>

using namespace tram::work;

Result<int> price(int order, Context context) {
  if (order == 13) return failure(Errc::failed, "no such article");
  if (order == 42) context.sleep(std::chrono::hours(1)).value();  // Ends when its time is over.
  return order * 3;
}

int main() {
  Runtime runtime;
  Pool<int, int> pool(runtime, {.workers = 10, .job_timeout = std::chrono::seconds(1)}, price);
  auto run = pool.open();
  run.feed(std::views::iota(0, 100));
  int priced = 0, failed = 0;
  for (Result<int>& invoice : run.received()) ++(invoice ? priced : failed);  // break is safe.
  std::printf("%d priced, %d failed: %s\n", priced, failed, run.error()->text().c_str());
  return priced == 98 ? 0 : 1;
}
