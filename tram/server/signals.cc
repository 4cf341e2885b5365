#include "tram/server/signals.h"

#include <cerrno>
#include <ctime>

namespace tram::server {

Signals::Signals() {
  ::sigemptyset(&stop_);
  ::sigaddset(&stop_, SIGINT);
  ::sigaddset(&stop_, SIGTERM);
  struct sigaction hangup{};
  ::sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) ::sigaddset(&stop_, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &stop_, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

std::optional<int> Signals::wait(base::Duration patience) {
  timespec most{patience.nanoseconds() / 1'000'000'000, patience.nanoseconds() % 1'000'000'000};
  bool for_ever = patience == base::Duration::forever();
  for (;;) {
    int signal = for_ever ? ::sigwaitinfo(&stop_, nullptr) : ::sigtimedwait(&stop_, nullptr, &most);
    if (signal > 0) return signal;
    // Stopped and continued (EINTR), as by a debugger: waiting a little longer does no harm.
    if (errno != EINTR) return std::nullopt;
  }
}

}  // namespace tram::server
