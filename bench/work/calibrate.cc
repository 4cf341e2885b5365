// The primitives that the floors of bench/work/README.md are built from, as one line of JSON:
// nanoseconds, medians of many tries. bench/work/run prints them above every table.
//
//   rmw            an atomic add that nobody disturbs
//   rmw_contended  the same, while another processor does it to the same line
//   line_handoff   a cache line handed to another processor, one way, while both spin
//   futex_wake     from futex wake to the woken thread running, on another processor
//   timer_late     how late clock_nanosleep of 1 ms returns, with a timer slack of 1 ns
//   malloc_free    one pair, 64 bytes
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "measure.h"

using namespace bench;

namespace {

// The first and the last processor that this process may use; the same one if it has only one.
int processor(bool last) {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  int found = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    found = cpu;
    if (!last) break;
  }
  return found;
}

void stay_on(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

template <typename Turn>
double ns_each(int tries, int turns, Turn&& turn) {
  std::vector<double> each;
  for (int attempt = 0; attempt < tries; ++attempt) {
    const int64_t start = now_ns();
    for (int i = 0; i < turns; ++i) turn();
    each.push_back(static_cast<double>(now_ns() - start) / turns);
  }
  return median(each);
}

struct alignas(128) Line {
  std::atomic<uint32_t> word = 0;
};

double rmw_contended(int here, int there) {
  Line line;
  std::atomic<bool> stop = false, started = false;
  std::jthread other([&] {
    stay_on(there);
    started = true;
    while (!stop.load(std::memory_order_relaxed)) line.word.fetch_add(1);
  });
  stay_on(here);
  while (!started) {
  }
  const double each = ns_each(50, 20'000, [&] { line.word.fetch_add(1); });
  stop = true;
  return each;
}

double line_handoff(int here, int there) {
  Line line;
  constexpr int trips = 50'000;
  constexpr int tries = 20;
  std::jthread other([&] {
    stay_on(there);
    for (uint32_t trip = 0; trip < trips * tries; ++trip) {
      while (line.word.load(std::memory_order_acquire) != 2 * trip + 1) {
      }
      line.word.store(2 * trip + 2, std::memory_order_release);
    }
  });
  stay_on(here);
  uint32_t trip = 0;
  return ns_each(tries, trips,
                 [&] {
                   line.word.store(2 * trip + 1, std::memory_order_release);
                   while (line.word.load(std::memory_order_acquire) != 2 * trip + 2) {
                   }
                   ++trip;
                 }) /
         2;
}

// The other thread sleeps in the futex; this one stores the time, wakes it, and waits until it has
// looked at its clock.
double futex_wake(int here, int there) {
  Line word, ready;
  std::atomic<int64_t> sent = 0;
  constexpr uint32_t tries = 2000;
  std::vector<double> late;
  std::jthread sleeper([&] {
    stay_on(there);
    for (uint32_t i = 1; i <= tries; ++i) {
      ready.word = i;
      while (word.word != i) syscall(SYS_futex, &word.word, FUTEX_WAIT_PRIVATE, i - 1, nullptr);
      late.push_back(static_cast<double>(now_ns() - sent));
    }
  });
  stay_on(here);
  for (uint32_t i = 1; i <= tries; ++i) {
    while (ready.word != i) sched_yield();
    const timespec time_to_fall_asleep{0, 100'000};
    nanosleep(&time_to_fall_asleep, nullptr);
    sent = now_ns();
    word.word = i;
    syscall(SYS_futex, &word.word, FUTEX_WAKE_PRIVATE, 1, nullptr);
  }
  sleeper.join();
  return median(late);
}

double timer_late() {
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  std::vector<double> late;
  for (int i = 0; i < 300; ++i) {
    const int64_t due = now_ns() + 1'000'000;
    const timespec until{due / 1'000'000'000, due % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    late.push_back(static_cast<double>(now_ns() - due));
  }
  return median(late);
}

}  // namespace

int main() {
  const int here = processor(false), there = processor(true);
  if (here == there) {
    std::fprintf(stderr, "calibrate needs two processors\n");
    return 1;
  }
  stay_on(here);
  Line line;
  const double rmw = ns_each(50, 100'000, [&] { line.word.fetch_add(1); });
  const double malloc_free = ns_each(50, 100'000, [] {
    void* volatile memory = std::malloc(64);
    std::free(memory);
  });
  std::printf(
      "{\"rmw\": %.2f, \"rmw_contended\": %.2f, \"line_handoff\": %.1f, \"futex_wake\": %.0f, "
      "\"timer_late\": %.0f, \"malloc_free\": %.2f}\n",
      rmw, rmw_contended(here, there), line_handoff(here, there), futex_wake(here, there),
      timer_late(), malloc_free);
}
