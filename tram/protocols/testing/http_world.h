// The HTTP door with a real broker behind it, a clock wound by hand, and clients over socket pairs:
// for tests that tell a conversation, without a port and without waiting.
#pragma once

#include <memory>
#include <string>

#include "tram/protocols/http/door.h"
#include "tram/protocols/testing/door_client.h"
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
    abort_connections(*loop_);
    loop_.reset();
  }

  class Client : public DoorClient {
   public:
    Client(HttpWorld& world, const net::ConnectionLimits& limits)
        : DoorClient(*world.loop_, "test:1", limits,
                     [&](net::Connection& connection) { return world.door.open(connection); }) {}
  };

  Client connect(const net::ConnectionLimits& limits = {}) { return Client(*this, limits); }
  // One request on a connection of its own.
  std::string ask(std::string_view request) { return connect().say(request); }

  void settle() { testing::settle(*loop_); }
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
  protocols::http::AsyncWorkers pool_;

 public:
  protocols::http::HttpShared shared;
  protocols::http::HttpDoor door;
};

}  // namespace tram::protocols::testing
