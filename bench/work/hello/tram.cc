// Row 25: two tasks and their sum.
#include <cstdio>

#include "tram/work/scope.h"

int main() {
  tram::work::Runtime runtime({.workers = 2});
  tram::work::Scope scope(runtime);
  auto a = scope.spawn([] { return 40; });
  auto b = scope.spawn([] { return 2; });
  std::printf("%d\n", a.value() + b.value());
}
