#include "tram/net/loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <malloc.h>

#include "tram/net/chunk_pool.h"
#include "tram/net/connection.h"
#include "tram/net/readiness.h"

namespace tram::net {

namespace {

constexpr size_t read_buffer_size = size_t{192} << 10;
// Asio's handlers per turn, at most: so that a flood of posted tasks cannot put off the writes.
constexpr int handlers_per_turn_max = 128;
// With so many sockets ready in a turn, more will be ready after it: then it is cheaper to look
// than to go to sleep and be woken.
constexpr size_t busy_min = 4;
// A burst of more than this is worth giving back; less is soon used again.
constexpr size_t trim_size = size_t{16} << 20;
constexpr Duration trim_delay = std::chrono::seconds(1);

}  // namespace

struct Loop::Io {
  // One thread runs it, which lets Asio skip some of its locking.
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work =
      boost::asio::make_work_guard(context);
  boost::asio::steady_timer timer{context};
  boost::asio::posix::stream_descriptor sockets{context};  // The ready set, which it does not own.
  bool waits_for_sockets = false;
  bool sockets_ready = false;
  Time timer_armed_for = Time::never();
  base::IntrusiveList<Connection> connections;
  bool stopped = false;
  bool ending = false;  // Being destroyed: posted tasks may be about what is gone already.
};

Loop::Loop(const base::Clock& clock)
    : clock_(clock),
      relief_([this] { relieve(); }),
      trim_([this] { trim(); }),
      read_buffer_(new char[read_buffer_size]),
      chunks_(std::make_unique<ChunkPool>()),
      sockets_(std::make_unique<ReadySet>()),
      io_(std::make_unique<Io>()) {
  io_->sockets.assign(sockets_->descriptor());
}

Loop::~Loop() {
  // The program is over: nobody is told, sockets just close.
  io_->ending = true;
  for (Connection* one = io_->connections.first(); one != nullptr;
       one = io_->connections.next(*one))
    one->abort(CloseReason::stopping);
  finish_turn();
  // What waited for the kernel is told that it waits in vain.
  io_->sockets.release();
  io_->timer.cancel();
  io_->work.reset();
  io_->context.restart();
  io_->context.poll();
  finish_turn();
}

boost::asio::io_context& Loop::context() { return io_->context; }
base::IntrusiveList<Connection>& Loop::connections() { return io_->connections; }
std::span<char> Loop::read_buffer() { return {read_buffer_.get(), read_buffer_size}; }

void Loop::run() {
  io_->stopped = false;
  bool many_ready = false;
  while (!io_->stopped) {
    finish_turn();
    now_is_stale_ = true;
    // Asked only now: the end of a turn lets connections go on that were held back.
    bool busy = many_ready || sockets_->has_again();
    if (!busy) sleep();
    // Woken by a socket alone, the loop asks Asio for nothing more: that would be a call to the
    // kernel, and the next turn does it anyway.
    for (int i = 0; i < handlers_per_turn_max && !io_->sockets_ready; ++i)
      if (io_->context.poll_one() == 0) break;
    if (busy || io_->sockets_ready) {
      io_->sockets_ready = false;
      many_ready = sockets_->handle() >= busy_min;
    }
  }
  finish_turn();
}

// Until a socket, a task, a timer or anything else of Asio's is ready.
void Loop::sleep() {
  if (!io_->waits_for_sockets) {
    io_->waits_for_sockets = true;
    io_->sockets.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                            [this](const boost::system::error_code& error) {
                              io_->waits_for_sockets = false;
                              io_->sockets_ready = !error;
                            });
  }
  io_->context.run_one();
}

void Loop::stop() {
  boost::asio::post(io_->context, [this] { io_->stopped = true; });
}

void Loop::post(std::move_only_function<void()> task) {
  boost::asio::post(io_->context, [this, task = std::move(task)]() mutable {
    if (!io_->ending) task();
  });
}

Time Loop::now() {
  if (now_is_stale_) {
    now_ = clock_.now();
    now_is_stale_ = false;
  }
  return now_;
}

void Loop::hold_back(HeldBack& held) {
  if (held_back_.empty()) start(relief_, hold_back_max);
  held_back_.push_back(held);
}

void Loop::relieve() {
  timers_.stop(relief_);
  // Whoever is held back again meanwhile waits for the next relief.
  for (HeldBack* last = held_back_.empty() ? nullptr : &held_back_.back(); last != nullptr;) {
    HeldBack& held = held_back_.pop_front();
    if (&held == last) last = nullptr;
    held.on_relief();
  }
}

void Loop::trim_later() {
  if (!trim_.running()) start(trim_, trim_delay);
}

void Loop::trim() {
  if (chunks_->waiting() > trim_size) {
    start(trim_, trim_delay);
    return;
  }
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

void Loop::finish_turn() {
  if (chunks_->freed() > trim_size) {
    chunks_->forget_freed();
    trim_later();
  }
  timers_.advance(now());
  while (!turn_ends_.empty()) turn_ends_.pop_front().on_turn_end();
  arm_timer();
}

void Loop::arm_timer() {
  Time next = timers_.next_deadline();
  // A timer armed too early only costs a turn; arming anew costs more.
  if (next >= io_->timer_armed_for) return;
  io_->timer_armed_for = next;
  io_->timer.expires_at(
      std::chrono::steady_clock::time_point(std::chrono::nanoseconds(next.nanoseconds())));
  io_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) io_->timer_armed_for = Time::never();
  });
}

}  // namespace tram::net
