#include "tram/net/readiness.h"

#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>

namespace tram::net {

ReadySet::ReadySet() : descriptor_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

ReadySet::~ReadySet() { ::close(descriptor_); }

bool ReadySet::add(int socket, Watched& watched) {
  epoll_event event{};
  // "Writable" is part of it from the start: the kernel speaks of it only after a write found no
  // room.
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
  event.data.ptr = &watched;
  return ::epoll_ctl(descriptor_, EPOLL_CTL_ADD, socket, &event) == 0;
}

void ReadySet::remove(int socket, Watched& watched) {
  // Closing alone does not do it where another process has inherited the socket.
  epoll_event unused{};
  ::epoll_ctl(descriptor_, EPOLL_CTL_DEL, socket, &unused);
  if (watched.linked()) again_.erase(watched);
}

size_t ReadySet::handle() {
  // Whoever asks to be called again meanwhile is called next time. A list of its own, which
  // `remove` can still take from.
  base::IntrusiveList<Watched, Watched> now;
  while (!again_.empty()) now.push_back(again_.pop_front());
  size_t told = 0;
  std::array<epoll_event, handled_max> events;
  int count = ::epoll_wait(descriptor_, events.data(), handled_max, 0);
  for (; !now.empty(); ++told) now.pop_front().on_ready({.readable = true});
  for (int i = 0; i < count; ++i) {
    uint32_t seen = events[static_cast<size_t>(i)].events;
    constexpr uint32_t ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;
    static_cast<Watched*>(events[static_cast<size_t>(i)].data.ptr)
        ->on_ready({.readable = (seen & (EPOLLIN | ended)) != 0,
                    .writable = (seen & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0,
                    .ended = (seen & ended) != 0});
    ++told;
  }
  return told;
}

}  // namespace tram::net
