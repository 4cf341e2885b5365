#include "tram/cli/signals.h"

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace tram::cli {

namespace {

// A signal's handler has nothing but globals to speak through.
int wake_pipe[2] = {-1, -1};
volatile sig_atomic_t caught = 0;

void on_signal(int signal) {
  if (caught != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  caught = signal;
  char byte = 1;
  if (::write(wake_pipe[1], &byte, 1) < 0) return;
}

void watch(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  // Without SA_RESTART: a read of standard input that blocks must end too.
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

Signals::Signals() {
  caught = 0;
  if (::pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_pipe[0], &event);
  // Only errors and hang-ups of standard output; a file cannot be watched, and need not be.
  event.events = 0;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, STDOUT_FILENO, &event);
  watch(SIGINT, on_signal);
  watch(SIGTERM, on_signal);
}

Signals::~Signals() {
  watch(SIGINT, SIG_DFL);
  watch(SIGTERM, SIG_DFL);
  if (epoll_ >= 0) ::close(epoll_);
  for (int& end : wake_pipe) {
    if (end >= 0) ::close(end);
    end = -1;
  }
}

bool Signals::stopped() const { return caught != 0; }

bool Signals::output_closed() {
  pollfd set{STDOUT_FILENO, 0, 0};
  return ::poll(&set, 1, 0) > 0 && (set.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace tram::cli
