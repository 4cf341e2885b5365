// Lines are parsed, priced and stored: three stages at the same time, and a sum at the end.
#include "tram/work/pipeline.h"

#include <cstdio>
#include <string>

using namespace tram::work;

std::vector<int> store_many(std::span<int> prices) {  // One call for many, as to a database.
  return {prices.begin(), prices.end()};
}

int main() {
  Runtime runtime;
  std::vector<std::string> lines = {"3 apples", "no number", "5 pears", "2 figs"};
  auto tell = [](const DeadLetter& letter) { std::puts(letter.error.text().c_str()); };
  auto parse = [](const std::string& line) { return std::stoi(line); };
  auto price = [](int count) { return count * 10; };
  auto sum = from(lines) | stage("parse", {.workers = 4, .on_error = skip_to(tell)}, parse) |
             stage("price", {.workers = 2}, price) | batch("store", {}, store_many) |
             fold(0, std::plus<>()) | run(runtime);
  std::printf("all together: %d\n", sum.value());
  return sum == 100 ? 0 : 1;
}
