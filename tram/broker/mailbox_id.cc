#include "tram/broker/mailbox_id.h"

#include <fmt/core.h>

namespace tram::broker {
namespace {

constexpr size_t text_size = 36;

// Where a UUID's text has its dashes: 8-4-4-4-12.
constexpr bool dash_at(size_t index) {
  return index == 8 || index == 13 || index == 18 || index == 23;
}

int value_of_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

MailboxId mailbox_id_from_random(uint64_t high, uint64_t low) {
  constexpr uint64_t version_mask = 0xF000, version_4 = 0x4000;
  constexpr uint64_t variant_mask = uint64_t{3} << 62, variant_rfc = uint64_t{2} << 62;
  return {(high & ~version_mask) | version_4, (low & ~variant_mask) | variant_rfc};
}

std::string to_text(const MailboxId& id) {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", id.high >> 32, (id.high >> 16) & 0xFFFF,
                     id.high & 0xFFFF, id.low >> 48, id.low & 0xFFFF'FFFF'FFFF);
}

std::optional<MailboxId> parse_mailbox_id(std::string_view text) {
  if (text.size() != text_size) return std::nullopt;
  uint64_t halves[2] = {0, 0};
  size_t digits = 0;
  for (size_t i = 0; i < text_size; ++i) {
    if (dash_at(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    int value = value_of_digit(text[i]);
    if (value < 0) return std::nullopt;
    uint64_t& half = halves[digits++ / 16];
    half = (half << 4) | static_cast<uint64_t>(value);
  }
  return MailboxId{halves[0], halves[1]};
}

}  // namespace tram::broker
