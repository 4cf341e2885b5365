// How a NATS session tells the replies to it apart: a kind and a number in one ticket.
#pragma once

#include <cstdint>

#include "tram/broker/identity.h"

namespace tram::protocols::nats {

enum class TicketKind : uint32_t { word = 1, slot = 2, queue_request = 3 };

inline broker::Ticket ticket_of(TicketKind kind, uint32_t number) {
  return {uint64_t{static_cast<uint32_t>(kind)} << 32 | number};
}
inline TicketKind kind_of(broker::Ticket ticket) {
  return static_cast<TicketKind>(ticket.value >> 32);
}
inline uint32_t number_of(broker::Ticket ticket) { return static_cast<uint32_t>(ticket.value); }

}  // namespace tram::protocols::nats
