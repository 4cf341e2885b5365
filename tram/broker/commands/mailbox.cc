#include "tram/broker/commands/mailbox.h"

#include <fmt/core.h>

#include "tram/broker/state.h"
#include "tram/broker/subject.h"

namespace tram::broker {

void carry_out(State& state, OpenMailbox& command, Context& context) {
  if (!valid_pattern(command.pattern)) return context.refuse(base::Errc::invalid_subject);
  if (state.mailboxes.contains(command.mailbox))
    return context.refuse(base::Errc::invalid_argument, "a mailbox of that id is open already");
  if (state.mailboxes.size() >= state.limits.mailboxes_max)
    return context.refuse(base::Errc::limit_reached, fmt::format("there are {} mailboxes already",
                                                                 state.limits.mailboxes_max));
  state.mailboxes.open(command.mailbox, command.pattern, context.now);
  context.reply(Done{});
}

void carry_out(State& state, Deposit& command, Context&) {
  state.mailboxes.deposit(command.mailbox, command.subject, std::move(command.content));
}

void carry_out(State& state, FetchMailbox& command, Context& context) {
  MailboxContents contents;
  if (!state.mailboxes.fetch(command.mailbox, command.pattern, context.now, contents.messages))
    return context.refuse(base::Errc::mailbox_not_found);
  context.reply(std::move(contents));
}

void carry_out(State& state, CloseMailbox& command, Context& context) {
  if (!state.mailboxes.close(command.mailbox)) return context.refuse(base::Errc::mailbox_not_found);
  context.reply(Done{});
}

void carry_out(State& state, CheckPending& command, Context& context) {
  if (!state.mailboxes.has_room(command.subject)) return context.refuse(base::Errc::overflow);
  context.reply(Done{});
}

}  // namespace tram::broker
