// The HTTP door with a real broker behind it, a clock wound by hand, and clients over socket pairs:
// for tests that tell a conversation, without a port and without waiting.
#pragma once

#include <cerrno>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "tram/base/assert.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/testing/local_engine.h"

namespace tram::protocols::testing {

class HttpWorld {
 public:
  explicit HttpWorld(const protocols::http::HttpOptions& options = {},
                     const broker::Limits& limits = {}, const protocols::Access& access = {})
      : access_(access),
        engine(clock, limits),
        loop_(std::make_unique<net::Loop>(clock)),
        pool_({.workers = 1, .queue_max = 4}),
        shared{access_, metrics_, log, pool_, [this] { return draw_id(); }, "test"},
        door(*loop_, engine, options, shared) {}
  ~HttpWorld() {
    finish_workers();
    // Connections need the door: they go first.
    while (!loop_->connections().empty()) {
      loop_->connections().front().abort(net::CloseReason::stopping);
      settle();
    }
    loop_.reset();
  }

  class Client {
   public:
    Client(HttpWorld& world, const net::ConnectionLimits& limits) : world_(world) {
      int both[2];
      TRAM_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both) == 0);
      socket_ = both[0];
      net::Connection::adopt(*world.loop_, both[1], "test:1", limits,
                             [&](net::Connection& connection) {
                               connection_ = &connection;
                               return world.door.open(connection);
                             });
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { hang_up(); }

    // Sends, and returns all that comes back without time passing.
    std::string say(std::string_view bytes) {
      size_t sent = 0;
      std::string heard;
      for (int idle = 0; sent < bytes.size() && idle < 100; ++idle) {
        ssize_t size =
            ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size > 0) {
          sent += static_cast<size_t>(size);
          idle = 0;
        }
        if (size < 0 && errno != EAGAIN) break;  // The door has closed.
        heard += hear();
      }
      return heard + hear();
    }
    // Sends what fits without waiting, and reads nothing. How much that was, or not positive.
    ssize_t push(std::string_view bytes) {
      return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    std::string hear() {
      std::string heard;
      for (int quiet = 0; quiet < 2; ++quiet) {
        world_.settle();
        char buffer[65536];
        ssize_t size = 0;
        while ((size = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
          heard.append(buffer, static_cast<size_t>(size));
          quiet = -1;
        }
        closed_ = closed_ || size == 0;
      }
      return heard;
    }
    void finish_sending() { ::shutdown(socket_, SHUT_WR); }
    void hang_up() {
      if (socket_ >= 0) ::close(socket_);
      socket_ = -1;
      world_.settle();
    }
    bool closed() {
      hear();
      return closed_;
    }
    // As the program's stop does. The connection must be there.
    void stop() { connection_->session().on_stop(); }
    net::Connection& connection() { return *connection_; }

   private:
    HttpWorld& world_;
    net::Connection* connection_ = nullptr;
    int socket_ = -1;
    bool closed_ = false;
  };

  Client connect(const net::ConnectionLimits& limits = {}) { return Client(*this, limits); }
  // One request on a connection of its own.
  std::string ask(std::string_view request) { return connect().say(request); }

  // Turns until everything at hand is done.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      loop_->stop();
      loop_->run();
    }
  }
  void advance(base::Duration by) {
    clock.advance(by);
    engine.advance();
    settle();
  }
  // Lets the workers of async publishes finish what they have. No more are taken after it.
  void finish_workers() {
    pool_.stop();
    settle();
  }
  net::Loop& loop() { return *loop_; }

 private:
  struct Metrics final : protocols::http::MetricsSource {
    std::string metrics_text(const std::vector<broker::QueueInfo>& queues) override {
      return "# " + std::to_string(queues.size()) + " queues\n";
    }
  };
  struct Log final : base::LogSink {
    void write(base::LogLevel, const base::LogLine& line) override { text += line.text() + "\n"; }
    std::string text;
  };
  broker::MailboxId draw_id() { return broker::mailbox_id_from_random(++drawn_, 7); }

  const protocols::Access access_;
  Metrics metrics_;
  uint64_t drawn_ = 0;

 public:
  ManualClock clock;
  Log log;
  LocalEngine engine;

 private:
  std::unique_ptr<net::Loop> loop_;
  work::Pool pool_;

 public:
  protocols::http::HttpShared shared;
  protocols::http::HttpDoor door;
};

}  // namespace tram::protocols::testing
