// The list of commands: everything that can be asked of the state machine, as data.
//
// A command's texts are views: they must outlive the call that carries it out, and whoever
// keeps a command longer (a batch to another thread) copies them first, through `texts()`.
// What each command means stands in commands/<name>.h.
#pragma once

#include <variant>

#include "tram/broker/commands/depart.h"
#include "tram/broker/commands/inspect.h"
#include "tram/broker/commands/mailbox.h"
#include "tram/broker/commands/put.h"
#include "tram/broker/commands/settle.h"
#include "tram/broker/commands/take.h"

namespace tram::broker {

using Command = std::variant<Put, Take, StopTaking, Ack, Release, Extend, Depart, ListQueues,
                             ShowQueue, PurgeQueue, DeleteQueue, OpenMailbox, Deposit, FetchMailbox,
                             CloseMailbox, CheckPending>;

}  // namespace tram::broker
