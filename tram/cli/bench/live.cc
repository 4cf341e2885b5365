// pub, pubsub and fanout: publishers push as fast as their sockets take, subscribers read.
#include <fmt/core.h>

#include "tram/cli/bench/fleet.h"
#include "tram/cli/bench/payload.h"
#include "tram/cli/bench/watch.h"

namespace tram::cli::bench {

using base::Clock;
using base::Duration;
using base::Result;
using client::Client;
using client::Message;

namespace {

// Bytes on their way to one subscriber, by our own counting. Servers cut off readers that
// are some 64 MB behind; that limit is not what is measured here.
constexpr uint64_t behind_bytes_max = 16 * 1024 * 1024;
constexpr uint64_t publish_batch = 1024;

struct Publisher {
  Client* client = nullptr;
  std::string subject;
  uint32_t number = 0;
  uint64_t sent = 0;
  uint64_t all = 0;
  base::Bytes payload;
};

struct Receiver {
  OrderJudge judge;
  uint64_t expected = 0;
};

class LiveRound {
 public:
  LiveRound(const Plan& plan, uint32_t round, const Clock& clock)
      : plan_(plan), round_(round), clock_(clock), fleet_(plan.options, clock) {}
  Result<Outcome> run(const Progress& progress);

 private:
  Result<> set_up();
  Result<bool> publish_some(Publisher& publisher);
  uint64_t sent() const;
  void judge(Outcome& outcome) const;

  const Plan& plan_;
  uint32_t round_;
  const Clock& clock_;
  Fleet fleet_;
  std::vector<Publisher> publishers_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::unique_ptr<OnceJudge> group_judge_;
  uint64_t delivered_ = 0;
  uint64_t expected_ = 0;
  uint64_t copies_ = 0;  // of each message, to all subscribers
};

uint64_t LiveRound::sent() const {
  uint64_t sum = 0;
  for (const Publisher& publisher : publishers_) sum += publisher.sent;
  return sum;
}

Result<> LiveRound::set_up() {
  uint64_t subscribers = plan_.kind == "pub" ? 0 : plan_.subscribers;
  uint64_t each = plan_.messages / plan_.publishers;
  if (!plan_.group.empty()) {
    group_judge_ = std::make_unique<OnceJudge>(plan_.publishers, each + 1, round_, plan_.size);
  }
  for (uint32_t i = 0; i < plan_.publishers; ++i) {
    Publisher publisher;
    publisher.number = i;
    publisher.all = each + (i < plan_.messages % plan_.publishers ? 1 : 0);
    publisher.subject = plan_.pairs ? fmt::format("{}.{}", plan_.subject, i) : plan_.subject;
    publisher.payload.assign(plan_.size, 'x');
    publishers_.push_back(std::move(publisher));
  }
  for (uint64_t i = 0; i < subscribers; ++i) {
    auto receiver = std::make_unique<Receiver>(
        Receiver{OrderJudge(static_cast<uint32_t>(plan_.publishers), round_, plan_.size)});
    const Publisher& partner = publishers_[i % publishers_.size()];
    receiver->expected = plan_.pairs ? partner.all : plan_.messages;
    auto client = fleet_.add();
    if (!client) return std::unexpected(client.error());
    auto see = [this, receiver = receiver.get()](const Message& message) {
      ++delivered_;
      if (group_judge_) {
        group_judge_->see(message.payload);
      } else {
        receiver->judge.see(message.payload);
      }
    };
    auto subscribed = (*client)->subscribe(plan_.pairs ? partner.subject : plan_.subject,
                                           {.group = plan_.group}, see);
    if (!subscribed) return std::unexpected(subscribed.error());
    expected_ += plan_.group.empty() ? receiver->expected : 0;
    receivers_.push_back(std::move(receiver));
  }
  if (group_judge_ && subscribers != 0) expected_ = plan_.messages;
  copies_ = group_judge_ || plan_.pairs ? std::min<uint64_t>(1, subscribers) : subscribers;
  for (Publisher& publisher : publishers_) {
    auto client = fleet_.add();
    if (!client) return std::unexpected(client.error());
    publisher.client = *client;
  }
  return fleet_.flush();
}

// False if its socket is full or the readers are too far behind.
Result<bool> LiveRound::publish_some(Publisher& publisher) {
  size_t buffer = plan_.options.write_buffer_bytes;
  uint64_t behind = sent() * copies_ - std::min(delivered_, sent() * copies_);
  uint64_t readers = std::max<uint64_t>(1, copies_);
  if (copies_ != 0 && behind / readers * (plan_.size + 32) > behind_bytes_max) return false;
  for (uint64_t i = 0; i < publish_batch && publisher.sent < publisher.all; ++i) {
    if (publisher.client->unsent() >= buffer) return i != 0;
    write_stamp(publisher.payload, {publisher.number, round_, publisher.sent});
    if (auto done = publisher.client->publish(publisher.subject, publisher.payload); !done) {
      return std::unexpected(done.error());
    }
    ++publisher.sent;
  }
  return true;
}

void LiveRound::judge(Outcome& outcome) const {
  if (outcome.sent != plan_.messages) {
    outcome.problems.push_back(
        fmt::format("{} messages could not be published", plan_.messages - outcome.sent));
  }
  if (group_judge_) return group_judge_->report(expected_, outcome.problems);
  for (size_t i = 0; i < receivers_.size(); ++i) {
    receivers_[i]->judge.report(fmt::format("subscriber {}", i + 1), receivers_[i]->expected,
                                outcome.problems);
  }
}

Result<Outcome> LiveRound::run(const Progress& progress) {
  if (auto ready = set_up(); !ready) return std::unexpected(ready.error());
  Watch watch(plan_, clock_, progress, plan_.messages + expected_);
  bool all_published = false;
  while (watch.goes_on(sent() + delivered_)) {
    bool published = false;
    all_published = true;
    for (Publisher& publisher : publishers_) {
      if (publisher.sent == publisher.all) continue;
      auto some = publish_some(publisher);
      if (!some) return std::unexpected(some.error());
      published = published || *some;
      all_published = all_published && publisher.sent == publisher.all;
    }
    if (auto turned =
            fleet_.turn(published ? Duration() : Duration(std::chrono::milliseconds(100)));
        !turned) {
      return std::unexpected(turned.error());
    }
    if (all_published && delivered_ >= expected_) break;
  }
  // The server has seen everything when it answers: without subscribers that is the end.
  if (auto flushed = fleet_.flush(); !flushed) return std::unexpected(flushed.error());
  Outcome outcome;
  outcome.sent = sent();
  outcome.delivered = delivered_;
  watch.finish(outcome);
  judge(outcome);
  return outcome;
}

}  // namespace

Result<Outcome> run_live(const Plan& plan, uint32_t round, const Clock& clock,
                         const Progress& progress) {
  return LiveRound(plan, round, clock).run(progress);
}

}  // namespace tram::cli::bench
