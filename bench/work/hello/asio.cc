// Row 25: two tasks and their sum.
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdio>

int main() {
  int a = 0, b = 0;
  boost::asio::thread_pool pool(2);
  boost::asio::post(pool, [&] { a = 40; });
  boost::asio::post(pool, [&] { b = 2; });
  pool.join();
  std::printf("%d\n", a + b);
}
