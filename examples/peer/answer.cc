// answer ADDRESS: answers what it is asked, until somebody says goodbye.
#include <iostream>

#include "tram/base/system_clock.h"
#include "tram/net/peer.h"

int main(int, char** words) {
  tram::base::SystemClock clock;
  auto peer = tram::net::Peer::open({.listen = {words[1]}}, clock);
  if (!peer) return std::cerr << peer.error().text() << '\n', 1;
  while (auto question = (*peer)->receive()) {
    if (question->error) continue;  // Somebody who is no peer: their connection is closed.
    auto answered = (*peer)->send(question->from(), std::string(question->data) + " yourself");
    if (!answered) std::cerr << answered.error().text() << '\n';
    if (question->data == "goodbye") break;  // What was sent is written before the peer is gone.
  }
}
