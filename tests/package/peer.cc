// A program elsewhere in which coroutines send and receive.
#include <cstdio>
#include <string>
#include <tram/base/system_clock.h>
#include <tram/peer/awaitable.h>
#include <tram/work/task.h>

using namespace tram::work;
using tram::net::Datagram;
using tram::net::Peer;

Task<std::string> ask(Peer& peer, std::string address, Context c) {
  Unit<void> sent = tram::peer::send(c, peer, address, "six times seven");
  co_await sent;
  Unit<Datagram> next = tram::peer::receive(c, peer);
  Datagram answer = co_await next;
  co_return std::string(answer.data);
}

Task<> answer(Peer& peer, Context c) {
  Unit<Datagram> next = tram::peer::receive(c, peer);
  Datagram question = co_await next;
  Unit<void> sent = tram::peer::send(c, peer, question.from(), "42");
  co_await sent;
}

int main() {
  tram::base::SystemClock clock;
  auto a = Peer::open({.listen = {"127.0.0.1:0"}}, clock);
  auto b = Peer::open({}, clock);
  if (!a || !b) return 1;
  Runtime runtime;
  Scope scope(runtime);
  auto answered = scope.spawn([&](Context c) { return answer(**a, c); });
  auto asked = scope.spawn([&](Context c) { return ask(**b, (*a)->address(), c); });
  std::printf("%s\n", asked.value().c_str());
  answered.value();
}
