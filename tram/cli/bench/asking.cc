// request and put: each client keeps `window` questions in flight and times every answer.
#include <charconv>
#include <fmt/core.h>

#include "tram/cli/bench/fleet.h"
#include "tram/cli/bench/payload.h"
#include "tram/cli/bench/watch.h"
#include "tram/client/queue.h"

namespace tram::cli::bench {

using base::BytesView;
using base::Clock;
using base::Duration;
using base::Result;
using base::Time;
using client::Client;
using client::Message;

namespace {

// One question that may be in flight: its place in the reply subject tells its answer.
struct Slot {
  std::string reply;
  Time asked_at;
  uint64_t sequence = 0;
  bool waiting = false;
};

struct Asker {
  Client* client = nullptr;
  uint32_t number = 0;
  uint64_t sent = 0;
  uint64_t all = 0;
  std::vector<Slot> slots;
  base::Bytes payload;
};

class AskingRound {
 public:
  AskingRound(const Plan& plan, uint32_t round, const Clock& clock)
      : plan_(plan),
        round_(round),
        clock_(clock),
        fleet_(plan.options, clock),
        putting_(plan.kind == "put") {}
  Result<Outcome> run(const Progress& progress);

 private:
  Result<> set_up_responders();
  Result<> set_up_askers();
  void ask(Asker& asker, Slot& slot);
  void hear(Asker& asker, size_t prefix, const Message& message);
  bool is_right(const Asker& asker, const Slot& slot, const Message& message) const;
  void check_queue(Outcome& outcome);

  const Plan& plan_;
  uint32_t round_;
  const Clock& clock_;
  Fleet fleet_;
  bool putting_;
  std::string target_;
  std::vector<std::unique_ptr<Asker>> askers_;
  uint64_t answered_ = 0;
  uint64_t wrong_ = 0;
  std::string wrong_example_;
  client::Histogram latency_;
  std::optional<base::Error> error_;
};

Result<> AskingRound::set_up_responders() {
  for (uint64_t i = 0; i < plan_.subscribers; ++i) {
    auto client = fleet_.add();
    if (!client) return std::unexpected(client.error());
    auto echo = [this, responder = *client](const Message& message) {
      if (auto sent = responder->respond(message, message.payload); !sent) error_ = sent.error();
    };
    std::string group = plan_.subscribers > 1 ? "bench" : "";
    auto subscribed = (*client)->subscribe(plan_.subject, {.group = group}, echo);
    if (!subscribed) return std::unexpected(subscribed.error());
  }
  return {};
}

Result<> AskingRound::set_up_askers() {
  for (uint32_t i = 0; i < plan_.clients; ++i) {
    auto client = fleet_.add();
    if (!client) return std::unexpected(client.error());
    auto asker = std::make_unique<Asker>();
    asker->client = *client;
    asker->number = i;
    asker->all = plan_.messages / plan_.clients + (i < plan_.messages % plan_.clients ? 1 : 0);
    asker->payload.assign(plan_.size, 'x');
    std::string inbox = (*client)->new_inbox();
    asker->slots.resize(std::min(plan_.window, std::max<uint64_t>(1, asker->all)));
    for (size_t slot = 0; slot < asker->slots.size(); ++slot) {
      asker->slots[slot].reply = fmt::format("{}.{}", inbox, slot);
    }
    auto heard = [this, asker = asker.get(), prefix = inbox.size() + 1](const Message& message) {
      hear(*asker, prefix, message);
    };
    auto subscribed = (*client)->subscribe(inbox + ".*", {}, heard);
    if (!subscribed) return std::unexpected(subscribed.error());
    askers_.push_back(std::move(asker));
  }
  return fleet_.flush();
}

void AskingRound::ask(Asker& asker, Slot& slot) {
  if (asker.sent == asker.all) return;
  slot.sequence = asker.sent++;
  slot.waiting = true;
  write_stamp(asker.payload, {asker.number, round_, slot.sequence});
  slot.asked_at = clock_.now();
  if (auto sent = asker.client->publish(target_, asker.payload, slot.reply); !sent)
    error_ = sent.error();
}

bool AskingRound::is_right(const Asker& asker, const Slot& slot, const Message& message) const {
  if (putting_) return message.payload.starts_with("{\"id\":");
  if (message.payload.size() != plan_.size || message.headers.status() != 0) return false;
  if (plan_.size < stamp_bytes) return true;
  Stamp stamp = read_stamp(message.payload);
  return stamp.publisher == asker.number && stamp.round == round_ &&
         stamp.sequence == slot.sequence;
}

void AskingRound::hear(Asker& asker, size_t prefix, const Message& message) {
  BytesView word = message.subject.substr(prefix);
  size_t place = 0;
  std::from_chars(word.data(), word.data() + word.size(), place);
  if (place >= asker.slots.size() || !asker.slots[place].waiting) {
    ++wrong_;
    wrong_example_ = "an answer that nobody waits for";
    return;
  }
  Slot& slot = asker.slots[place];
  latency_.record(static_cast<uint64_t>((clock_.now() - slot.asked_at).nanoseconds()));
  slot.waiting = false;
  ++answered_;
  if (!is_right(asker, slot, message)) {
    ++wrong_;
    if (message.says_no_responders()) {
      wrong_example_ = base::sentence_of(base::Errc::no_responders);
    } else {
      wrong_example_ = message.payload.substr(0, 120);
    }
  }
  ask(asker, slot);
}

// What was put is there, exactly, and goes away with the bench's queue.
void AskingRound::check_queue(Outcome& outcome) {
  auto client = Client::connect(plan_.options, clock_);
  if (!client) {
    outcome.problems.push_back("counting the queue: " + client.error().text());
    return;
  }
  auto removed = client::Queues(**client).remove(plan_.subject);
  if (!removed) {
    outcome.problems.push_back("counting the queue: " + removed.error().text());
  } else if (*removed != outcome.sent) {
    outcome.problems.push_back(
        fmt::format("the queue held {} messages, not {}", *removed, outcome.sent));
  }
}

Result<Outcome> AskingRound::run(const Progress& progress) {
  target_ = putting_ ? "$TRAM.PUT." + plan_.subject : plan_.subject;
  if (!putting_) {
    if (auto ready = set_up_responders(); !ready) return std::unexpected(ready.error());
  }
  if (auto ready = set_up_askers(); !ready) return std::unexpected(ready.error());
  Watch watch(plan_, clock_, progress, plan_.messages);
  for (auto& asker : askers_) {
    for (Slot& slot : asker->slots) ask(*asker, slot);
  }
  while (answered_ < plan_.messages && watch.goes_on(answered_)) {
    auto turned = fleet_.turn(std::chrono::milliseconds(100));
    if (!turned) return std::unexpected(turned.error());
    if (error_) return std::unexpected(*error_);
  }
  Outcome outcome;
  for (const auto& asker : askers_) outcome.sent += asker->sent;
  outcome.delivered = answered_;
  outcome.latency = latency_;
  watch.finish(outcome);
  if (answered_ != plan_.messages) {
    outcome.problems.push_back(fmt::format("{} answers never came", plan_.messages - answered_));
  }
  if (wrong_ != 0)
    outcome.problems.push_back(
        fmt::format("{} answers were wrong, such as: {}", wrong_, wrong_example_));
  if (putting_) check_queue(outcome);
  return outcome;
}

}  // namespace

Result<Outcome> run_asking(const Plan& plan, uint32_t round, const Clock& clock,
                           const Progress& progress) {
  return AskingRound(plan, round, clock).run(progress);
}

}  // namespace tram::cli::bench
