// A program elsewhere that uses the work library.
#include <cstdio>
#include <tram/work/scope.h>

int main() {
  tram::work::Runtime runtime;
  tram::work::Scope scope(runtime);
  auto six = scope.spawn([] { return 6; });
  auto seven = scope.spawn([] { return 7; });
  std::printf("%d\n", scope.spawn_after([](int a, int b) { return a * b; }, six, seven).value());
}
