// The NATS door with a real broker behind it, a clock wound by hand, and clients over socket pairs:
// for tests that tell a conversation, without a port and without waiting.
#pragma once

#include <cerrno>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "tram/base/assert.h"
#include "tram/protocols/nats/door.h"
#include "tram/protocols/testing/local_engine.h"

namespace tram::protocols::testing {

class NatsWorld {
 public:
  explicit NatsWorld(const nats::NatsOptions& options = {})
      : engine(clock), loop_(std::make_unique<net::Loop>(clock)), door(engine, log, options) {}
  ~NatsWorld() {
    // Connections need the door: they go first.
    while (!loop_->connections().empty()) {
      loop_->connections().front().abort(net::CloseReason::stopping);
      settle();
    }
  }

  class Client {
   public:
    explicit Client(NatsWorld& world) : world_(world) {
      int both[2];
      TRAM_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both) == 0);
      socket_ = both[0];
      net::Connection::adopt(
          *world.loop_, both[1], "127.0.0.1:1", {},
          [&](net::Connection& connection) { return world.door.open(connection); });
      info = hear();
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { hang_up(); }

    // Sends, and returns all that comes back without time passing.
    std::string say(std::string_view bytes) {
      std::string heard;
      for (int idle = 0; !bytes.empty() && idle < 100; ++idle) {
        ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size > 0) {
          bytes.remove_prefix(static_cast<size_t>(size));
          idle = 0;
        }
        if (size < 0 && errno != EAGAIN) break;  // The door has closed.
        heard += hear();
      }
      return heard + hear();
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
    void hang_up() {
      if (socket_ >= 0) ::close(socket_);
      socket_ = -1;
      world_.settle();
    }
    bool closed() {
      hear();
      return closed_;
    }
    std::string info;

   private:
    NatsWorld& world_;
    int socket_ = -1;
    bool closed_ = false;
  };

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

 private:
  struct Log final : base::LogSink {
    void write(base::LogLevel, const base::LogLine& line) override { text += line.text() + "\n"; }
    std::string text;
  };

 public:
  ManualClock clock;
  Log log;
  LocalEngine engine;

 private:
  std::unique_ptr<net::Loop> loop_;

 public:
  nats::NatsDoor door;
};

}  // namespace tram::protocols::testing
