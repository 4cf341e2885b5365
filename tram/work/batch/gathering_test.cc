#include "tram/work/batch/gathering.h"

#include <array>
#include <doctest/doctest.h>

using namespace tram::work;
using namespace std::chrono_literals;
using tram::base::Duration;
using tram::base::Time;

namespace {

struct TestGathering final : Gathering {};

Time at(int64_t nanoseconds) { return Time::from_nanoseconds(nanoseconds); }
constexpr Duration never = Duration::forever();

}  // namespace

TEST_CASE("what is young has its turn when it has waited, or when that does not matter") {
  GatheringQueue queue;
  TestGathering a;
  TestGathering b;
  CHECK(queue.next(true, never, at(0)) == nullptr);
  CHECK(queue.first_young() == Time::never());
  b.first = at(20);
  queue.place(b, false, false, at(20));
  a.first = at(10);
  queue.place(a, false, false, at(20));
  CHECK(queue.first_young() == at(10));
  CHECK(queue.next(false, Duration::from_nanoseconds(15), at(24)) == nullptr);
  CHECK(queue.next(false, Duration::from_nanoseconds(15), at(25)) == &a);
  CHECK(queue.next(false, never, at(1'000'000)) == nullptr);
  CHECK(queue.next(true, never, at(20)) == &a);
  // Its first item has left: the next one is younger than b's.
  a.first = at(30);
  queue.place(a, false, false, at(30));
  CHECK(queue.next(true, never, at(30)) == &b);
  queue.remove(b);
  CHECK(queue.next(true, never, at(30)) == &a);
  queue.remove(a);
  CHECK(queue.next(true, never, at(30)) == nullptr);
}

TEST_CASE("one that is always full does not keep others waiting, nor they it") {
  GatheringQueue queue;
  TestGathering noisy;
  TestGathering quiet;
  TestGathering full;
  noisy.first = at(1);
  queue.place(noisy, true, false, at(1));
  quiet.first = at(2);
  queue.place(quiet, false, false, at(2));
  full.first = at(3);
  queue.place(full, true, false, at(3));
  auto serve = [&](Time now) {
    Gathering* next = queue.next(false, Duration::from_nanoseconds(5), now);
    queue.place(*next, next != &quiet, true, now);
    if (next == &quiet) queue.remove(quiet);
    return next;
  };
  CHECK(serve(at(4)) == &noisy);
  CHECK(serve(at(5)) == &full);
  CHECK(serve(at(6)) == &noisy);
  CHECK(serve(at(7)) == &quiet);  // Now it has waited for long enough, and longer than they.
  CHECK(serve(at(8)) == &full);
  CHECK(serve(at(9)) == &noisy);
  queue.remove(noisy);
  queue.remove(full);
}

TEST_CASE("all become due at once, the oldest first, and one may stop being due") {
  GatheringQueue queue;
  std::array<TestGathering, 3> each;
  for (size_t i = 0; i < each.size(); ++i) {
    each[i].first = at(static_cast<int64_t>(10 - i));
    queue.place(each[i], false, false, at(10));
  }
  queue.all_due(at(11));
  CHECK(queue.first_young() == Time::never());
  int due = 0;
  queue.for_each_due([&](Gathering&) { ++due; });
  CHECK(due == 3);
  CHECK(queue.next(false, never, at(11)) == &each[2]);
  queue.place(each[2], false, false, at(11));
  CHECK(queue.next(false, never, at(11)) == &each[1]);
  CHECK(queue.first_young() == at(8));
  for (auto& gathering : each) queue.remove(gathering);
}
