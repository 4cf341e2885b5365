// Ten questions, each followed by another one: two calls of what answers many at once.
#include "tram/work/batcher.h"

#include <cstdio>

using namespace tram::work;

std::vector<int> answer_many(std::span<const int> questions) {
  std::printf("a call with %zu questions\n", questions.size());
  return {questions.begin(), questions.end()};
}

int main() {
  Runtime runtime;
  Batcher<int, int> ask(runtime, answer_many);
  auto ask_twice = [&](int number, Context c) {
    auto ask_again = [&](int answer, Context then) { return ask(answer + 100, then); };
    return c.spawn_after(ask_again, ask(number, c));
  };
  Scope scope(runtime);
  scope.spawn([&](Context c) { c.spawn_each(ask_twice, std::views::iota(0, 10)); });
  if (!scope.wait()) return 1;
  std::printf("%d calls\n", static_cast<int>(ask.stats().calls));
}
