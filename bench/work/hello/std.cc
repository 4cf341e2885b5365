// Row 25, to compare with: the same with nothing but the standard library's threads.
#include <cstdio>
#include <thread>

int main() {
  int a = 0, b = 0;
  {
    std::jthread first([&] { a = 40; }), second([&] { b = 2; });
  }
  std::printf("%d\n", a + b);
}
