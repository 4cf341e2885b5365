#include "tram/server/door_set.h"

#include <fmt/core.h>

#include "tram/protocols/http/random_id.h"

namespace tram::server {

namespace {

using namespace protocols;

nats::NatsOptions nats_options(const Options& options, const Access& access, uint16_t port,
                               const std::string& version) {
  nats::NatsOptions made;
  broker::MailboxId id = http::draw_random_id();
  made.server_id = fmt::format("{:016X}{:016X}", id.high, id.low);
  made.server_name = options.server_name;
  made.tram_version = version;
  made.host = options.host;
  made.port = port;
  made.access = access;
  made.auth_timeout = options.auth_timeout;
  made.payload_max = static_cast<uint32_t>(options.max_message_bytes);
  made.control_line_max = static_cast<uint32_t>(options.max_control_line);
  made.subscriptions_max = static_cast<uint32_t>(options.max_subscriptions);
  made.ping_interval = options.ping_interval;
  made.pings_max = static_cast<uint32_t>(options.pings_max);
  return made;
}

http::HttpOptions http_options(const Options& options) {
  http::HttpOptions made;
  made.message_bytes_max = options.max_message_bytes;
  made.batch_bytes_max = options.http_batch_bytes_max;
  made.batch_messages_max = static_cast<uint32_t>(options.http_batch_messages_max);
  made.answer_bytes_max = options.http_answer_bytes_max;
  made.head_bytes_max = options.http_header_bytes_max;
  made.head_time_max = options.http_header_timeout;
  made.body_time_max = options.http_body_timeout;
  made.idle_time_max = options.http_idle_timeout;
  made.request_time_default = options.http_request_timeout;
  made.heartbeat = options.http_heartbeat;
  made.async_in_flight_max = options.http_async_in_flight_max;
  made.subscriptions_max = options.http_subscriptions_max;
  made.allowed_origin = options.http_allowed_origin;
  return made;
}

}  // namespace

DoorSet::DoorSet(const Options& options, std::vector<net::Loop*> loops,
                 engines::embedded::EmbeddedEngine& engine, MetricsSources& metrics,
                 base::LogSink& log)
    : options_(options),
      loops_(std::move(loops)),
      engine_(engine),
      metrics_(metrics),
      log_(log),
      access_(options.user, options.password, options.token),
      publishers_({.workers = static_cast<unsigned>(options.http_async_workers),
                   .queue_max = options.http_async_queue_max}),
      http_shared_{.access = access_,
                   .metrics = *this,
                   .log = log,
                   .publishers = publishers_,
                   .draw_id = http::draw_random_id,
                   .version = metrics.version} {}

DoorSet::~DoorSet() { publishers_.stop(); }

void DoorSet::make_nats(uint16_t port) {
  nats::NatsOptions made = nats_options(options_, access_, port, metrics_.version);
  made.client_id_step = loops_.size();
  for (size_t i = 0; i < loops_.size(); ++i) {
    made.client_id_first = i + 1;
    add(std::make_unique<nats::NatsDoor>(engine_.on_loop(i), log_, made));
  }
}

void DoorSet::make_http() {
  http::HttpOptions made = http_options(options_);
  for (size_t i = 0; i < loops_.size(); ++i) {
    auto door =
        std::make_unique<http::HttpDoor>(*loops_[i], engine_.on_loop(i), made, http_shared_);
    metrics_.http.push_back(door.get());
    add(std::move(door));
  }
}

void DoorSet::make_beuss() {
  beuss::BeussOptions made{.message_bytes_max = options_.beuss_max_message_bytes,
                           .pause = options_.beuss_pause};
  for (size_t i = 0; i < loops_.size(); ++i) {
    auto door = std::make_unique<beuss::BeussDoor>(*loops_[i], engine_.on_loop(i), made, log_);
    metrics_.beuss.push_back(door.get());
    add(std::move(door));
  }
}

void DoorSet::make_metrics() {
  for (size_t i = 0; i < loops_.size(); ++i)
    add(std::make_unique<MetricsDoor>(*loops_[i], engine_.on_loop(i), metrics_));
}

void DoorSet::add(std::unique_ptr<Door> door) {
  metrics_.doors.push_back(door.get());
  doors_.push_back(std::move(door));
}

std::vector<Door*> DoorSet::of(std::string_view name) const {
  std::vector<Door*> found;
  for (const std::unique_ptr<Door>& door : doors_)
    if (door->name() == name) found.push_back(door.get());
  return found;
}

std::vector<const Door*> DoorSet::all() const {
  std::vector<const Door*> found;
  for (const std::unique_ptr<Door>& door : doors_) found.push_back(door.get());
  return found;
}

void DoorSet::stop_accepting() {
  http_shared_.stopping = true;
  publishers_.stop();
}

}  // namespace tram::server
