#include "tram/protocols/http/async_publisher.h"

#include "tram/broker/subject.h"

namespace tram::protocols::http {

namespace {

constexpr base::Duration log_interval = std::chrono::seconds(10);

}  // namespace

AsyncPublisher::AsyncPublisher(net::Loop& loop, broker::Engine& engine, HttpShared& shared,
                               size_t in_flight_max)
    : loop_(loop),
      engine_(engine),
      shared_(shared),
      in_flight_max_(in_flight_max),
      self_(std::make_shared<AsyncPublisher*>(this)) {}

AsyncPublisher::~AsyncPublisher() {
  *self_ = nullptr;
  if (caller_) engine_.depart(caller_);
}

bool AsyncPublisher::publish(std::string subject, std::string data) {
  if (in_flight_ >= in_flight_max_) {
    counters_.refused.add();
    return false;
  }
  // The worker sees the loop and the message; `self` is looked at again only on the loop.
  bool accepted =
      shared_.publishers.try_dispatch([&loop = loop_, self = self_, subject = std::move(subject),
                                       data = std::move(data)]() mutable {
        bool valid = broker::valid_subject(subject);
        loop.post(
            [self = std::move(self), subject = std::move(subject), data = std::move(data), valid] {
              if (*self != nullptr) (*self)->place(subject, data, valid);
            });
      });
  if (!accepted) {
    counters_.refused.add();
    return false;
  }
  ++in_flight_;
  counters_.accepted.add();
  return true;
}

void AsyncPublisher::place(const std::string& subject, const std::string& data, bool valid) {
  if (!valid) {
    --in_flight_;
    lost(counters_.invalid_subject, "invalid_subject");
    return;
  }
  if (!caller_) caller_ = engine_.enrol(*this);
  engine_.publish_checked(caller_, broker::Ticket(), {subject, {}, {}, data, nullptr});
}

void AsyncPublisher::on_reply(broker::Ticket, broker::Reply& reply) {
  --in_flight_;
  const auto* error = std::get_if<base::Error>(&reply);
  if (!error)
    counters_.published.add();
  else if (error->code == base::Errc::no_responders)
    lost(counters_.no_subscriber, base::name_of(error->code));
  else if (error->code == base::Errc::overflow)
    lost(counters_.overflow, base::name_of(error->code));
  else
    lost(counters_.failed, base::name_of(error->code));
}

void AsyncPublisher::lost(base::Counter& reason, std::string_view why) {
  reason.add();
  ++lost_since_;
  if (loop_.now() < log_after_) return;
  log_after_ = loop_.now() + log_interval;
  shared_.log.write(
      base::LogLevel::warn,
      base::LogLine("async_publish_lost").with("reason", why).with("count", lost_since_));
  lost_since_ = 0;
}

}  // namespace tram::protocols::http
