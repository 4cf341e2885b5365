#include "tram/server/metrics_door.h"

#include <fmt/core.h>

namespace tram::server {

namespace {

using net::BytesView;

constexpr size_t head_size_max = 8192;
constexpr base::Duration head_time_max = std::chrono::seconds(10);

std::string answer(std::string_view status, std::string_view type, std::string_view body,
                   bool with_body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), with_body ? body : std::string_view());
}

constexpr std::string_view plain = "text/plain; charset=utf-8";
constexpr std::string_view prometheus = "text/plain; version=0.0.4; charset=utf-8";

constexpr std::string_view too_many =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

}  // namespace

class MetricsSession final : public net::Session {
 public:
  MetricsSession(MetricsDoor& door, net::Connection& connection)
      : door_(door),
        connection_(connection),
        too_late_([this] { connection_.close(net::CloseReason::by_session); }) {
    door_.counters_.connections.add();
    door_.counters_.connections_total.add();
    door_.loop_.start(too_late_, head_time_max);
  }
  ~MetricsSession() override { door_.counters_.connections.subtract(); }

  Progress on_bytes(BytesView bytes, const net::SharedBytes*) override {
    size_t end = bytes.find("\r\n\r\n");
    if (end != BytesView::npos) {
      on_request(bytes.substr(0, bytes.find("\r\n")));
      return {.consumed = bytes.size()};
    }
    if (bytes.size() <= head_size_max) return {};
    refuse("431 Request Header Fields Too Large", "the request's headers are too long\n");
    return {.consumed = bytes.size()};
  }
  bool on_end() override { return asked_ && !connection_.ending(); }
  void on_stop() override {
    if (!asked_) connection_.close(net::CloseReason::stopping);
  }

 private:
  void on_request(BytesView line) {
    door_.loop_.timers().stop(too_late_);
    size_t first = line.find(' ');
    size_t last = line.rfind(' ');
    if (first == BytesView::npos || first == last || !line.substr(last + 1).starts_with("HTTP/1."))
      return refuse("400 Bad Request", "this is not an HTTP request\n");
    BytesView method = line.substr(0, first);
    BytesView target = line.substr(first + 1, last - first - 1);
    target = target.substr(0, target.find('?'));
    if (target != "/metrics" && target != "/healthz")
      return refuse("404 Not Found", "here are /metrics and /healthz only\n");
    if (method != "GET" && method != "HEAD")
      return refuse("405 Method Not Allowed\r\nAllow: GET, HEAD", "GET is the method here\n");
    with_body_ = method == "GET";
    if (target == "/healthz") return say(answer("200 OK", plain, "ok\n", with_body_));
    asked_ = true;
    connection_.pause();
    gather_metrics(door_.sources_, door_.loop_, door_.engine_,
                   [this, alive = std::weak_ptr<bool>(alive_)](const std::string& page) {
                     if (alive.expired()) return;
                     say(answer("200 OK", prometheus, page, with_body_));
                   });
  }
  void refuse(std::string_view status, std::string_view sentence) {
    door_.counters_.errors.add();
    say(answer(status, plain, sentence, true));
  }
  void say(const std::string& text) {
    if (connection_.ending()) return;
    connection_.send(text);
    connection_.close(net::CloseReason::by_session);
  }

  MetricsDoor& door_;
  net::Connection& connection_;
  net::Timer too_late_;
  bool asked_ = false;
  bool with_body_ = true;
  // Who waits for the page looks here whether this still is.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

std::string_view MetricsDoor::refusal() const { return too_many; }

std::unique_ptr<net::Session> MetricsDoor::open(net::Connection& connection) {
  return std::make_unique<MetricsSession>(*this, connection);
}

}  // namespace tram::server
