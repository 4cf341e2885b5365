#include "tram/cli/bench/fleet.h"

#include <cerrno>
#include <fmt/core.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace tram::cli::bench {

using base::Clock;
using base::Duration;
using base::Errc;
using base::failure;
using base::Result;
using client::Buffer;
using client::Client;

namespace {
constexpr uint64_t stop_mark = UINT64_MAX;
constexpr size_t shared_buffer_bytes = 256 * 1024;
}  // namespace

Fleet::Fleet(const client::Options& options, const Clock& clock)
    : options_(options), clock_(clock) {
  options_.reconnect = false;  // a bench that lost a connection has failed
  options_.read_buffer = std::make_shared<Buffer>(shared_buffer_bytes);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = stop_mark;
  if (options_.stop.descriptor >= 0)
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, options_.stop.descriptor, &event);
}

Fleet::~Fleet() {
  members_.clear();
  if (epoll_ >= 0) ::close(epoll_);
}

void Fleet::watch(size_t index, bool for_write, bool first) {
  epoll_event event{};
  event.events = for_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = index;
  ::epoll_ctl(epoll_, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, members_[index].client->descriptor(),
              &event);
  members_[index].watched_for_write = for_write;
}

Result<Client*> Fleet::add() {
  auto client = Client::connect(options_, clock_);
  if (!client) {
    auto error = client.error();
    error.detail += fmt::format("{}connection {} of the bench", error.detail.empty() ? "" : ", ",
                                members_.size() + 1);
    return std::unexpected(error);
  }
  members_.push_back({std::move(*client)});
  watch(members_.size() - 1, false, true);
  return members_.back().client.get();
}

Result<> Fleet::serve(size_t index) {
  Member& member = members_[index];
  auto polled = member.client->poll();
  if (!polled) return std::unexpected(polled.error());
  bool wants = member.client->wants_write();
  if (wants != member.watched_for_write) watch(index, wants, false);
  return {};
}

Result<> Fleet::turn(Duration wait) {
  // Whoever wrote since the last turn sends now, and is watched if the socket is full.
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].client->wants_write() && !members_[i].watched_for_write) {
      if (auto served = serve(i); !served) return served;
    }
  }
  epoll_event events[256];
  int count = ::epoll_wait(epoll_, events, 256, static_cast<int>(wait.milliseconds()));
  if (count < 0 && errno != EINTR) return failure(Errc::io_error, "epoll_wait");
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == stop_mark) return failure(Errc::cancelled);
    if (auto served = serve(static_cast<size_t>(events[i].data.u64)); !served) return served;
  }
  return {};
}

Result<> Fleet::flush() {
  for (Member& member : members_) {
    if (auto flushed = member.client->flush(); !flushed) return flushed;
  }
  return {};
}

}  // namespace tram::cli::bench
