// Any bytes as a sequence of commands and moments: the invariants hold after each, every
// command but Deposit, Depart and a Take that waits is answered, and nothing is left of a
// broker whose time has passed.
#include <array>
#include <cstddef>

#include "tram/base/assert.h"
#include "tram/broker/broker.h"

using namespace tram::broker;
using tram::base::Duration;
using tram::base::Time;

namespace {

// Reads small numbers off the input; zeros once it has ended.
struct Input {
  const uint8_t* data;
  size_t size;

  bool empty() const { return size == 0; }
  uint64_t byte() {
    if (size == 0) return 0;
    --size;
    return *data++;
  }
  uint64_t below(uint64_t bound) { return byte() % bound; }
  // Usually some milliseconds, sometimes anything.
  Duration duration() {
    uint64_t value = byte();
    if (value < 250) return Duration::from_milliseconds(static_cast<int64_t>(value % 16));
    uint64_t any = 0;
    for (int i = 0; i < 8; ++i) any = any << 8 | byte();
    return Duration::from_nanoseconds(static_cast<int64_t>(any));
  }
};

constexpr std::array<BytesView, 4> queues = {"a", "b", "c", "bad name"};
constexpr std::array<BytesView, 6> patterns = {"x", "x.y", "x.*", ">", "y", "x..y"};

Command next_command(Input& input) {
  BytesView queue = queues[input.below(4)];
  MessageId id{(1 + input.below(16)) << shard_bits};
  LeaseToken token{1 + input.below(16)};
  MailboxId mailbox = mailbox_id_from_random(input.below(3), 0);
  BytesView pattern = patterns[input.below(6)];
  switch (input.below(16)) {
    case 0:
      return Put{queue, Content("", Bytes(input.below(64), 'x'))};
    case 1: {
      Take take;
      take.queue = queue;
      take.count = static_cast<uint32_t>(input.below(6));
      take.wait = input.duration();
      take.linger = input.duration();
      take.lease = input.duration();
      take.bound_to_caller = input.below(2);
      return take;
    }
    case 2:
      return Ack{queue, id, token};
    case 3:
      return Release{queue, id, token, input.below(2) == 0};
    case 4:
      return Extend{queue, id, token, input.duration()};
    case 5:
      return Depart{};
    case 6:
      return ListQueues{};
    case 7:
      return ShowQueue{queue};
    case 8:
      return PurgeQueue{queue};
    case 9:
      return DeleteQueue{queue};
    case 10:
      return OpenMailbox{mailbox, pattern};
    case 11:
      return Deposit{mailbox, pattern, Content("", Bytes(input.below(64), 'x'))};
    case 12:
      return FetchMailbox{mailbox, pattern};
    case 13:
      return CloseMailbox{mailbox};
    case 14:
      return StopTaking{queue, {1 + input.below(64)}};
    default:
      return CheckPending{pattern};
  }
}

bool must_answer(const Command& command) {
  if (auto* take = std::get_if<Take>(&command)) return take->wait == Duration();
  return !std::holds_alternative<Deposit>(command) && !std::holds_alternative<Depart>(command) &&
         !std::holds_alternative<StopTaking>(command);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input{data, size};
  Limits limits;
  limits.queues_max = static_cast<uint32_t>(input.below(4));
  limits.waiting_takers_max = static_cast<uint32_t>(input.below(4));
  limits.stored_bytes_max = input.byte() * 16;
  limits.mailbox_pending_max = input.below(4);
  limits.mailbox_bytes_max = input.byte() * 16;
  limits.mailboxes_max = static_cast<uint32_t>(input.below(4));
  Broker broker(static_cast<uint32_t>(input.byte()), limits);
  Effects effects;
  Time now;
  for (uint64_t step = 1; !input.empty(); ++step) {
    Duration passed = input.duration();
    if (passed > Duration()) now = now + passed;
    effects.clear();
    Command command = next_command(input);
    bool answered = !must_answer(command);
    broker.apply(command, {input.below(3)}, {step}, now, effects);
    for (auto& reply : effects.replies) answered = answered || reply.ticket.value == step;
    TRAM_ASSERT(answered, command.index());
    broker.check_invariants();
    TRAM_ASSERT(broker.next_deadline() > now || now == Time::never());
  }
  // Everything that waits, is leased, or is unused comes to an end; what is ready stays. It takes
  // some turns, since what comes back in one may be leased to somebody who still waited then.
  effects.clear();
  Time end = now + std::chrono::hours(24 * 365);
  if (end == Time::never()) return 0;
  for (int days = 4; days >= 0; --days)
    broker.advance(end - std::chrono::hours(24 * days), effects);
  broker.check_invariants();
  const Totals& totals = broker.totals();
  TRAM_ASSERT(totals.leased == 0 && totals.waiting_takers == 0 && totals.mailboxes == 0);
  TRAM_ASSERT(totals.mailbox_messages == 0 && (totals.ready > 0 || totals.queues == 0));
  return 0;
}
