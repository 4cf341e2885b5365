#include "tram/broker/commands/put.h"

#include <fmt/core.h>

#include "tram/broker/subject.h"
#include "tram/broker/transitions.h"

namespace tram::broker {
namespace {

bool has_room(const State& state, const Content& content) {
  const Totals& totals = state.totals;
  uint64_t messages = totals.ready + totals.leased + 1;
  return totals.stored_bytes + content.size() + messages * Limits::message_overhead <=
         state.limits.stored_bytes_max;
}

}  // namespace

void carry_out(State& state, Put& put, Context& context) {
  if (!valid_queue_name(put.queue)) return context.refuse(base::Errc::invalid_queue_name);
  if (!has_room(state, put.content))
    return context.refuse(
        base::Errc::limit_reached,
        fmt::format("the broker stores at most {} bytes", state.limits.stored_bytes_max));
  Queue* queue = find_or_make_queue(state, put.queue);
  if (!queue)
    return context.refuse(base::Errc::limit_reached,
                          fmt::format("there are {} queues already", state.limits.queues_max));
  MessageId id = store(state, *queue, std::move(put.content), context.now);
  context.reply(Stored{.id = id});
  serve(state, *queue, context.now, context.effects);
  state.queues.used(*queue, context.now);
}

}  // namespace tram::broker
