// ask ADDRESS QUESTION...: asks, and prints the answers.
#include <iostream>
#include <span>

#include "tram/base/system_clock.h"
#include "tram/net/peer.h"

using namespace std::chrono_literals;

int main(int count, char** words) {
  tram::base::SystemClock clock;
  // It is given five seconds to be there; each question is known to have come.
  auto peer = tram::net::Peer::open({.confirm = tram::net::Confirm::received}, clock);
  if (!peer) return std::cerr << peer.error().text() << '\n', 1;
  for (char* question : std::span(words, static_cast<size_t>(count)).subspan(2)) {
    if (auto sent = (*peer)->send_and_wait(words[1], question); !sent)
      return std::cerr << sent.error().text() << '\n', 1;
    auto answer = (*peer)->receive(5s);
    if (!answer) return std::cerr << answer.error().text() << '\n', 1;
    std::cout << answer->data << '\n';
  }
}
