// A mailbox's id: 128 bits of chance, drawn by whoever opens it, since whoever knows the id
// may read the mailbox. Shown as a UUID (RFC 9562, version 4).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tram::broker {

struct MailboxId {
  uint64_t high = 0;
  uint64_t low = 0;

  auto operator<=>(const MailboxId&) const = default;
};

struct HashMailboxId {
  size_t operator()(const MailboxId& id) const {
    return id.high ^ (id.low * 0x9E3779B97F4A7C15ULL);
  }
};

// Sets the version and variant bits, as a UUID must have them.
MailboxId mailbox_id_from_random(uint64_t high, uint64_t low);
std::string to_text(const MailboxId& id);
// Either case of hexadecimal digits; nullopt for anything that is not a UUID.
std::optional<MailboxId> parse_mailbox_id(std::string_view text);

}  // namespace tram::broker
