#include "tram/protocols/http/door.h"

#include <ctime>
#include <fmt/core.h>

#include "tram/protocols/api/replies.h"
#include "tram/protocols/http/session.h"

namespace tram::protocols::http {

HttpDoor::HttpDoor(net::Loop& loop, broker::Engine& engine, const HttpOptions& options,
                   HttpShared& shared)
    : loop_(loop),
      engine_(engine),
      options_(options),
      shared_(shared),
      async_(loop, engine, shared, options.async_in_flight_max),
      inbox_(engine, shared) {
  std::string body = api::error_json({base::Errc::limit_reached, "too many connections"}) + "\n";
  refusal_ = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      body.size(), body);
  if (options_.allowed_origin.empty()) return;
  site_fields_ = "Access-Control-Allow-Origin: " + options_.allowed_origin +
                 "\r\nAccess-Control-Expose-Headers: *\r\nVary: Origin\r\n";
}

HttpDoor::~HttpDoor() = default;

std::unique_ptr<net::Session> HttpDoor::open(net::Connection& connection) {
  return std::make_unique<HttpSession>(*this, connection);
}

void HttpDoor::report_slow(const std::string& peer_address) {
  constexpr base::Duration interval = std::chrono::seconds(10);
  ++slow_since_;
  if (loop_.now() < report_after_) return;
  report_after_ = loop_.now() + interval;
  shared_.log.write(base::LogLevel::warn, base::LogLine("slow_subscriber")
                                              .with("door", name())
                                              .with("client", peer_address)
                                              .with("dropped", slow_since_));
  slow_since_ = 0;
}

base::BytesView HttpDoor::date_line() {
  if (date_size_ == 0 || loop_.now() >= date_until_) {
    time_t seconds = loop_.clock().wall_nanoseconds() / 1'000'000'000;
    tm parts{};
    gmtime_r(&seconds, &parts);
    // The C locale: nothing of ours sets another.
    date_size_ =
        std::strftime(date_line_, sizeof date_line_, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    date_until_ = loop_.now() + std::chrono::seconds(1);
  }
  return {date_line_, date_size_};
}

}  // namespace tram::protocols::http
