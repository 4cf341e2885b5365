// A program elsewhere in which one Peer asks another, and that shows its numbers.
#include <cstdio>
#include <string>
#include <tram/base/system_clock.h>
#include <tram/net/peer.h>
#include <tram/net/peer/metrics.h>

using tram::net::Datagram;
using tram::net::Peer;

int main() {
  tram::base::SystemClock clock;
  auto a = Peer::open({.listen = {"127.0.0.1:0"}}, clock);
  auto b = Peer::open({.confirm = tram::net::Confirm::received}, clock);
  if (!a || !b || !(*b)->send_and_wait((*a)->address(), "six times seven")) return 1;
  Datagram question = *(*a)->receive();
  if (question.data != "six times seven" || !(*a)->send(question.from(), "42")) return 2;
  Datagram answer = *(*b)->receive();
  std::string page = tram::net::prometheus_text((*b)->stats());
  if (page.find("tram_peer_messages_sent_total 1\n") == std::string::npos) return 3;
  std::printf("%s\n", std::string(answer.data).c_str());
}
