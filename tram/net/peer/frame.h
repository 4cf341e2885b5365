// What stands on the wire between peers: one MessagePack byte string after another.
//
//   a0..bf         up to 31 bytes        | raw, as Go's codec writes a byte slice by default:
//   da hi lo       up to 65,535          | what we write, and what proletariat reads and writes
//   db 4 bytes     up to 4 GiB           |
//   c0             nil, a message of no bytes: what Go writes for a nil slice    | taken,
//   d9 n  c4 n  c5 2 bytes  c6 4 bytes   str8 and bin: other codecs, or Go's     | never
//                                        with WriteExt                           | written
//
// Between two of our own peers, and only where the sender asks for it, two more (peer.h says what
// they are for). No byte string begins like them, so who does not know them takes them for garbage:
//
//   d6 'T' 'ram1'  an extension of 4 bytes: "tell me how many of my messages came"
//   cf 8 bytes     an unsigned number: so many of your messages came on this connection
//
// Why this is not a library: docs/decisions/0050-peer.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tram/base/bytes.h"

namespace tram::net {

using base::BytesView;

inline constexpr size_t frame_header_max = 5;
// What a header of four length bytes can say.
inline constexpr size_t frame_payload_max = 0xFFFF'FFFF;
inline constexpr BytesView ask_for_counts{"\xD6Tram1", 6};
inline constexpr size_t count_size = 9;

// Writes the shortest raw header for a payload of `size` bytes; returns how long it is.
size_t write_frame_header(char* to, size_t size);
// Writes `count_size` bytes.
void write_count(char* to, uint64_t count);

struct Frame {
  enum class Kind {
    message,     // `header` bytes and then `size` bytes of payload, which may not all be there yet.
    asks,        // `header` bytes: the sender asks for counts.
    count,       // `header` bytes: so many came.
    incomplete,  // Too few bytes to tell.
    too_large,   // A message of `size` bytes, more than is taken.
    garbage,     // Nothing of ours begins with this byte.
  };
  Kind kind = Kind::incomplete;
  size_t header = 0;
  size_t size = 0;
  uint64_t count = 0;

  bool operator==(const Frame&) const = default;
};

// The frame at the beginning of `bytes`. Looks at the header alone, and reserves nothing: what a
// header announces costs nothing until it comes.
Frame read_frame(BytesView bytes, size_t message_max);

}  // namespace tram::net
