// What is read can be written, and then reads as the same.
#include <cstdint>

#include "tram/base/assert.h"
#include "tram/protocols/api/json_text.h"
#include "tram/protocols/http/chunked_body.h"
#include "tram/protocols/http/gopher_json.h"
#include "tram/protocols/http/request_head.h"
#include "tram/protocols/http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tram::protocols;
  using namespace tram::protocols::http;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);

  GopherText subject;
  GopherText value;
  if (read_gopher_json(bytes, {.subject = &subject, .data = &value})) {
    TRAM_ASSERT(api::is_utf8(subject.view()) && api::is_utf8(value.view()));
    std::string written = "{\"data\":";
    append_gopher_string(written, value.view());
    written += ",\"subject\":";
    append_gopher_string(written, subject.view());
    written += "}";
    GopherText subject_again;
    GopherText value_again;
    TRAM_ASSERT(read_gopher_json(written, {.subject = &subject_again, .data = &value_again}));
    TRAM_ASSERT(subject_again.view() == subject.view() && value_again.view() == value.view());
  }

  // The other readers of bytes, which the session reaches only behind a whole request.
  std::string once;
  ChunkedBody::Progress whole = ChunkedBody(500).read(bytes, once);
  ChunkedBody in_pieces(500);
  std::string again;
  ChunkedBody::State state = ChunkedBody::State::unfinished;
  for (size_t at = 0; at < size && state == ChunkedBody::State::unfinished; ++at)
    state = in_pieces.read(bytes.substr(at, 1), again).state;
  TRAM_ASSERT(state == whole.state);
  TRAM_ASSERT(state != ChunkedBody::State::finished || once == again);
  if (size_t end = find_head_end(bytes); end > 0)
    if (auto head = parse_head(bytes.substr(0, end), 100))
      for (FieldLines lines(head->fields); lines.next();) TRAM_ASSERT(is_token(lines.name()));
  (void)Query(bytes).finish();
  return 0;
}
