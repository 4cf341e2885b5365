// Two things at once, and what comes of both. The smallest program.
#include <cstdio>

#include "tram/work/scope.h"

int main() {
  tram::work::Runtime runtime;
  tram::work::Scope scope(runtime);
  auto six = scope.spawn([] { return 6; });
  auto seven = scope.spawn([] { return 7; });
  auto product = scope.spawn_after([](int a, int b) { return a * b; }, six, seven);
  std::printf("%d\n", product.value());
}
