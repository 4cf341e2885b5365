// The words of the beuss protocol: what one message means, in whichever mode it came.
//
//   client: PUT            server: OK          client: GET      server: OK
//   client: <name, padded with spaces to 32 bytes><content>
//                          server: OK or KO    client: <name>   server: <content>, EMPTY or KO
//   client: QUIT           server: closes
//
// No message has a length or an end: see gatherer.h for where one stops.
#pragma once

#include <cstddef>

#include "tram/base/bytes.h"

namespace tram::protocols::beuss {

using base::BytesView;

enum class Mode { unset, put, get };

constexpr size_t name_size = 32;

constexpr BytesView answer_ok = "OK";
constexpr BytesView answer_ko = "KO";
constexpr BytesView answer_empty = "EMPTY";

struct Request {
  enum class Kind {
    set_mode,  // To `mode`.
    put,       // `body` into `queue`.
    get,       // From `queue`.
    quit,
    refuse,   // Answer KO.
    hang_up,  // Close without an answer.
  };
  Kind kind = Kind::refuse;
  Mode mode = Mode::unset;
  BytesView queue = {};
  BytesView body = {};
};

// What the whole `message` asks for. Its views look into `message`.
//
// A name is trimmed on PUT only. Refused: a name that no queue of ours can have; a PUT that is
// too short for a name; an empty body, since nobody could read it: the answer to GET would be no
// bytes at all, and the client would wait for ever.
Request read_request(Mode mode, BytesView message);

// Is it, for all that can be seen, only the beginning of a message?
//
// * On PUT, a name without a body, or less than a name: its body comes, or the rest of QUIT.
// * The first letters of PUT, GET or QUIT where these may stand.
// * As much as fills a packet: the rest may be in the next. The smallest packet that the internet
//   makes of a longer stretch is 1220 bytes (IPv6 without an MSS option that says more), so
//   what is shorter came in one piece.
bool may_go_on(Mode mode, BytesView message);
constexpr size_t packet_size_min = 1220;

}  // namespace tram::protocols::beuss
