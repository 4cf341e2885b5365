// One line of the NATS client protocol, cut into words. Knows no session.
//
// Verbs are matched without regard to case, words are parted by spaces or tabs, and a line ends
// with LF, before which one CR does not count: as nats-server reads it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tram/base/bytes.h"

namespace tram::protocols::nats {

using base::BytesView;

enum class Verb { pub, hpub, sub, unsub, ping, pong, connect, info, ok, err };

struct Line {
  Verb verb = Verb::ping;
  size_t size = 0;      // In bytes, with the line's end.
  BytesView arguments;  // Everything behind the verb, trimmed.
};

enum class LineStatus {
  whole,
  incomplete,  // So far it may become a line.
  too_long,    // Longer than `limit`, and no end in sight.
  unknown,     // Not this protocol.
};

// Reads the line at the front of `bytes`.
LineStatus parse_line(BytesView bytes, size_t limit, Line& line);

// Cuts arguments into at most five words; `count` is 6 if there are more.
struct Words {
  std::array<BytesView, 5> word;
  size_t count = 0;
};
Words split_words(BytesView arguments);

// PUB <subject> [reply-to] <size>
// HPUB <subject> [reply-to] <headers size> <total size>
struct PubArguments {
  BytesView subject;
  BytesView reply_to;
  uint32_t headers_size = 0;
  uint32_t total_size = 0;        // At least headers_size.
  bool subject_is_valid = false;  // Known already; false if nobody has looked.
};
// False if they are not of this form.
bool parse_pub(BytesView arguments, bool has_headers, PubArguments& pub);

// A decimal number of at most nine digits; nullopt for anything else.
std::optional<uint32_t> parse_size(BytesView digits);

}  // namespace tram::protocols::nats
