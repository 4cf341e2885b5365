// Any bytes as a request, and as text to be written: no crash, and always JSON in UTF-8.
#include "tram/base/assert.h"
#include "tram/protocols/api/header_block.h"
#include "tram/protocols/api/json_request.h"
#include "tram/protocols/api/json_text.h"
#include "tram/protocols/api/message_json.h"
#include "tram/protocols/api/take_options.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tram::protocols::api;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)parse_take_options(bytes);

  JsonRequest request = JsonRequest::parse(bytes);
  MessageMembers message;
  uint64_t id = 0;
  message.read(request);
  request.id("id", id);
  if (request.finish() && message.finish(1000)) {
    std::string json = "{";
    append_message_members(json, message.headers(), message.payload());
    json += "}";
    JsonRequest again = JsonRequest::parse(json);
    MessageMembers same;
    same.read(again);
    TRAM_ASSERT(again.finish(), json);
    TRAM_ASSERT(same.finish(1000), json);
    TRAM_ASSERT(same.payload() == message.payload(), json);
  }

  std::string json;
  append_json_string(json, bytes);
  TRAM_ASSERT(is_utf8(json));
  std::string headers;
  append_headers_json(headers, bytes);
  TRAM_ASSERT(is_utf8(headers));
  std::string base64;
  append_base64(base64, bytes);
  TRAM_ASSERT(decode_base64(base64) == bytes);
  (void)decode_base64(bytes);
  return 0;
}
