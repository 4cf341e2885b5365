// The NATS door with a real broker behind it, a clock wound by hand, and clients over socket pairs:
// for tests that tell a conversation, without a port and without waiting.
#pragma once

#include <memory>
#include <string>

#include "tram/protocols/nats/door.h"
#include "tram/protocols/testing/door_client.h"
#include "tram/protocols/testing/local_engine.h"

namespace tram::protocols::testing {

class NatsWorld {
 public:
  explicit NatsWorld(const nats::NatsOptions& options = {})
      : engine(clock), loop_(std::make_unique<net::Loop>(clock)), door(engine, log, options) {}
  ~NatsWorld() { abort_connections(*loop_); }

  class Client : public DoorClient {
   public:
    explicit Client(NatsWorld& world, const net::ConnectionLimits& limits = {})
        : DoorClient(*world.loop_, "127.0.0.1:1", limits,
                     [&](net::Connection& connection) { return world.door.open(connection); }),
          info(hear()) {}
    const std::string info;
  };

  void settle() { testing::settle(*loop_); }
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
