// Ids that nobody can guess, from the operating system.
#pragma once

#include "tram/broker/mailbox_id.h"

namespace tram::protocols::http {

// For HttpShared::draw_id. Any thread.
broker::MailboxId draw_random_id();

}  // namespace tram::protocols::http
