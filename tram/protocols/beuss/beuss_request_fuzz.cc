// Any bytes, in any pieces, in any mode: they are gathered, read, and never read outside.
#include <cstddef>
#include <cstdint>

#include "tram/base/assert.h"
#include "tram/broker/subject.h"
#include "tram/protocols/beuss/gatherer.h"
#include "tram/protocols/beuss/request.h"

using namespace tram::protocols::beuss;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  auto mode = static_cast<Mode>(data[0] % 3);
  size_t piece_size = data[1] + size_t{1};
  BytesView input(reinterpret_cast<const char*>(data) + 2, size - 2);
  Gatherer gatherer(2048);
  for (BytesView rest = input; !rest.empty();) {
    BytesView piece = rest.substr(0, piece_size);
    rest.remove_prefix(piece.size());
    gatherer.add(piece);
    // What needs no pause is a message on its own.
    if (may_go_on(mode, gatherer.message())) continue;
    Request request = read_request(mode, gatherer.message());
    if (request.kind == Request::Kind::set_mode) mode = request.mode;
    bool names_queue = request.kind == Request::Kind::put || request.kind == Request::Kind::get;
    TRAM_ASSERT(!names_queue || tram::broker::valid_queue_name(request.queue));
    TRAM_ASSERT((request.kind == Request::Kind::put) == !request.body.empty());
    TRAM_ASSERT(request.queue.size() + request.body.size() <= gatherer.message().size());
    if (request.kind == Request::Kind::quit || request.kind == Request::Kind::hang_up) return 0;
    gatherer.clear();
  }
  TRAM_ASSERT(gatherer.message().size() <= 2048);
  return 0;
}
