// Row 25: two tasks and their sum.
#include <cstdio>
#include <tbb/task_group.h>

int main() {
  int a = 0, b = 0;
  tbb::task_group group;
  group.run([&] { a = 40; });
  group.run([&] { b = 2; });
  group.wait();
  std::printf("%d\n", a + b);
}
