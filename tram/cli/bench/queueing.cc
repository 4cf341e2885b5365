// queue: putters store, takers take and acknowledge, until every message was seen once.
#include <fmt/core.h>

#include "tram/cli/bench/fleet.h"
#include "tram/cli/bench/payload.h"
#include "tram/cli/bench/watch.h"
#include "tram/client/queue.h"

namespace tram::cli::bench {

using base::Clock;
using base::Duration;
using base::Result;
using client::Client;
using client::Message;

namespace {

struct Putter {
  Client* client = nullptr;
  uint32_t number = 0;
  uint64_t sent = 0;
  uint64_t all = 0;
  std::string reply;
  base::Bytes payload;
};

struct Taker {
  Client* client = nullptr;
  std::string inbox;
  uint64_t wanted = 0;  // of the request in flight
};

class QueueRound {
 public:
  QueueRound(const Plan& plan, uint32_t round, const Clock& clock)
      : plan_(plan),
        round_(round),
        clock_(clock),
        fleet_(plan.options, clock),
        judge_(plan.clients, plan.messages / plan.clients + 1, round, plan.size) {}
  Result<Outcome> run(const Progress& progress);

 private:
  Result<> set_up();
  void put(Putter& putter);
  void take(Taker& taker);
  void receive(Taker& taker, const Message& message);
  void check_empty(Outcome& outcome);
  void note(const Result<>& done) {
    if (!done && !error_) error_ = done.error();
  }

  const Plan& plan_;
  uint32_t round_;
  const Clock& clock_;
  Fleet fleet_;
  OnceJudge judge_;
  std::vector<std::unique_ptr<Putter>> putters_;
  std::vector<std::unique_ptr<Taker>> takers_;
  uint64_t stored_ = 0;
  uint64_t refused_ = 0;
  std::string refusal_;
  std::optional<base::Error> error_;
};

void QueueRound::put(Putter& putter) {
  if (putter.sent == putter.all) return;
  write_stamp(putter.payload, {putter.number, round_, putter.sent++});
  note(putter.client->publish("$TRAM.PUT." + plan_.subject, putter.payload, putter.reply));
}

void QueueRound::take(Taker& taker) {
  taker.wanted = plan_.window;
  auto body = fmt::format(R"({{"n":{},"wait_ms":1000,"lease_ms":60000}})", taker.wanted);
  note(taker.client->publish("$TRAM.TAKE." + plan_.subject, body, taker.inbox));
}

void QueueRound::receive(Taker& taker, const Message& message) {
  int status = message.headers.status();
  if (status == 404 || status == 408) return take(taker);
  if (message.reply.empty()) {
    ++refused_;
    refusal_ = message.says_no_responders() ? base::sentence_of(base::Errc::no_responders)
                                            : message.payload.substr(0, 120);
    return;
  }
  judge_.see(message.payload);
  note(taker.client->publish(message.reply, "+ACK"));
  if (--taker.wanted == 0) take(taker);
}

Result<> QueueRound::set_up() {
  for (uint64_t i = 0; i < plan_.subscribers; ++i) {
    auto client = fleet_.add();
    if (!client) return std::unexpected(client.error());
    auto taker = std::make_unique<Taker>(Taker{*client, (*client)->new_inbox()});
    auto subscribed = (*client)->subscribe(
        taker->inbox, {},
        [this, taker = taker.get()](const Message& message) { receive(*taker, message); });
    if (!subscribed) return std::unexpected(subscribed.error());
    takers_.push_back(std::move(taker));
  }
  for (uint32_t i = 0; i < plan_.clients; ++i) {
    auto client = fleet_.add();
    if (!client) return std::unexpected(client.error());
    auto putter = std::make_unique<Putter>();
    putter->client = *client;
    putter->number = i;
    putter->all = plan_.messages / plan_.clients + (i < plan_.messages % plan_.clients ? 1 : 0);
    putter->reply = (*client)->new_inbox();
    putter->payload.assign(plan_.size, 'x');
    auto heard = [this, putter = putter.get()](const Message& message) {
      if (message.payload.starts_with("{\"id\":")) {
        ++stored_;
      } else {
        ++refused_;
        refusal_ = message.says_no_responders() ? base::sentence_of(base::Errc::no_responders)
                                                : message.payload.substr(0, 120);
      }
      put(*putter);
    };
    auto subscribed = (*client)->subscribe(putter->reply, {}, heard);
    if (!subscribed) return std::unexpected(subscribed.error());
    putters_.push_back(std::move(putter));
  }
  return fleet_.flush();
}

void QueueRound::check_empty(Outcome& outcome) {
  auto client = Client::connect(plan_.options, clock_);
  if (!client) {
    outcome.problems.push_back("looking at the queue: " + client.error().text());
    return;
  }
  client::Queues queues(**client);
  auto queue = queues.show(plan_.subject);
  if (!queue) {
    outcome.problems.push_back("looking at the queue: " + queue.error().text());
  } else if (queue->ready != 0 || queue->leased != 0) {
    outcome.problems.push_back(fmt::format("the queue still holds {} ready and {} leased messages",
                                           queue->ready, queue->leased));
  }
  (void)queues.remove(plan_.subject);
}

Result<Outcome> QueueRound::run(const Progress& progress) {
  if (auto ready = set_up(); !ready) return std::unexpected(ready.error());
  Watch watch(plan_, clock_, progress, plan_.messages * 2);
  for (auto& taker : takers_) take(*taker);
  for (auto& putter : putters_) {
    for (uint64_t i = 0; i < plan_.window; ++i) put(*putter);
  }
  auto enough = [&] {
    return judge_.count() >= plan_.messages && stored_ + refused_ >= plan_.messages;
  };
  while (!enough() && refused_ < 1000 && watch.goes_on(judge_.count() + stored_)) {
    auto turned = fleet_.turn(std::chrono::milliseconds(100));
    if (!turned) return std::unexpected(turned.error());
    if (error_) return std::unexpected(*error_);
  }
  if (auto flushed = fleet_.flush(); !flushed) return std::unexpected(flushed.error());
  Outcome outcome;
  for (const auto& putter : putters_) outcome.sent += putter->sent;
  outcome.delivered = judge_.count();
  watch.finish(outcome);
  judge_.report(plan_.messages, outcome.problems);
  if (refused_ != 0)
    outcome.problems.push_back(
        fmt::format("{} requests were refused, such as: {}", refused_, refusal_));
  check_empty(outcome);
  return outcome;
}

}  // namespace

Result<Outcome> run_queueing(const Plan& plan, uint32_t round, const Clock& clock,
                             const Progress& progress) {
  return QueueRound(plan, round, clock).run(progress);
}

}  // namespace tram::cli::bench
