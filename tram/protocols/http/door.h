// The HTTP door of one event loop: GopherMQ's endpoints, /v1, health and metrics.
//
//   HttpShared shared{access, metrics, log, pool, draw_random_id, version};
//   HttpDoor door(loop, engine, options, shared);
//   net::Connection::adopt(loop, socket, peer, limits,
//                          [&](net::Connection& c) { return door.open(c); });
//
// Before a door dies, its connections must be gone and `shared.publishers` stopped.
#pragma once

#include <memory>
#include <string>

#include "tram/protocols/door.h"
#include "tram/protocols/http/async_publisher.h"
#include "tram/protocols/http/options.h"
#include "tram/protocols/http/reply_inbox.h"
#include "tram/protocols/http/request_counters.h"
#include "tram/protocols/http/shared.h"

namespace tram::protocols::http {

class HttpDoor final : public Door {
 public:
  HttpDoor(net::Loop& loop, broker::Engine& engine, const HttpOptions& options, HttpShared& shared);
  ~HttpDoor() override;

  std::string_view name() const override { return "http"; }
  std::unique_ptr<net::Session> open(net::Connection& connection) override;
  // 503 limit_reached.
  std::string_view refusal() const override { return refusal_; }

  // Any thread may read them.
  const RequestCounters& requests() const { return requests_; }
  const AsyncCounters& async_counters() const { return async_.counters(); }

  // --- For sessions and handlers, on the loop.
  net::Loop& loop() { return loop_; }
  broker::Engine& engine() { return engine_; }
  const HttpOptions& options() const { return options_; }
  HttpShared& shared() { return shared_; }
  DoorCounters& count() { return counters_; }
  RequestCounters& count_requests() { return requests_; }
  AsyncPublisher& async() { return async_; }
  ReplyInbox& inbox() { return inbox_; }
  // A reader did not keep up: logged at most once per interval, however often it happens.
  void report_slow(const std::string& peer_address);
  // "Date: Sat, 21 Nov 2026 01:30:02 GMT\r\n", written anew once a second.
  base::BytesView date_line();
  // What every answer says about which sites' pages may read it.
  base::BytesView site_fields() const { return site_fields_; }

 private:
  net::Loop& loop_;
  broker::Engine& engine_;
  const HttpOptions options_;
  HttpShared& shared_;
  RequestCounters requests_;
  AsyncPublisher async_;
  ReplyInbox inbox_;
  std::string refusal_;
  std::string site_fields_;
  base::Time report_after_;
  uint64_t slow_since_ = 0;
  char date_line_[40];
  size_t date_size_ = 0;
  base::Time date_until_;
};

}  // namespace tram::protocols::http
