// Row 25: two threads, a queue, and the sum of what they put in.
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <cstdio>
#include <thread>

int main() {
  moodycamel::BlockingConcurrentQueue<int> queue;
  std::jthread first([&] { queue.enqueue(40); }), second([&] { queue.enqueue(2); });
  int a = 0, b = 0;
  queue.wait_dequeue(a);
  queue.wait_dequeue(b);
  std::printf("%d\n", a + b);
}
