// A message while it is stored: its bytes and its history.
//
// It is in one place at a time: in its queue's ReadyList, or held by a Lease; whichever it
// is owns it. With its content's block it costs 80 bytes and the content, allocator included.
#pragma once

#include "tram/base/intrusive_list.h"
#include "tram/base/time.h"
#include "tram/broker/identity.h"
#include "tram/broker/message.h"

namespace tram::broker {

struct StoredMessage : base::Link<> {
  MessageId id;
  Content content;
  base::Time put_at;
  uint32_t attempts = 0;       // Deliveries that count.
  bool leased_before = false;  // Also if that delivery did not count.
};

}  // namespace tram::broker
