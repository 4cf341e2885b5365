// A coroutine asks two services at once and waits for both; meanwhile no thread is held.
#include <cstdio>

#include "tram/work/task.h"
using namespace tram::work;
using namespace std::chrono_literals;

std::string load_user(int id) { return "user " + std::to_string(id); }
int count_orders(int id) { return id * 3; }

Task<std::string> page_of(int id, Context c) {
  Unit<std::string> user = c.spawn(load_user, id);  // Named before it is awaited.
  Unit<int> orders = c.spawn(count_orders, id);
  std::string name = co_await user;  // Would throw what load_user threw.
  int count = co_await orders;
  co_await c.sleep(1ms);
  co_return name + " has " + std::to_string(count) + " orders";
}
int main() {
  Runtime runtime;
  Scope scope(runtime, {.deadline = 5s});
  Unit<std::string> page = scope.spawn(page_of, 7);
  std::puts(page.value().c_str());
}
