// Tests that must fail. The first fails in every build; each of the others does what one sanitizer
// is there to notice, and passes, if at all, only where that sanitizer is missing.
#include <doctest/doctest.h>
#include <limits>
#include <thread>
#include <vector>

TEST_CASE("a wrong sum") { CHECK(2 + 2 == 5); }

TEST_CASE("a read past the end") {
  std::vector<int> numbers(4);
  const volatile int* first = numbers.data();
  [[maybe_unused]] const int after = first[numbers.size()];
}

TEST_CASE("a sum that does not fit") {
  volatile int most = std::numeric_limits<int>::max();
  most = most + 1;
  CHECK(most < 0);
}

TEST_CASE("two threads and no lock") {
  int shared = 0;
  std::thread other([&shared] { ++shared; });
  ++shared;
  other.join();
  CHECK(shared > 0);
}
