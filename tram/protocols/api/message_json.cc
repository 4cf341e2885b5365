#include "tram/protocols/api/message_json.h"

#include "tram/protocols/api/header_block.h"
#include "tram/protocols/api/json_text.h"

namespace tram::protocols::api {

void append_message_members(std::string& to, BytesView headers, BytesView payload) {
  if (is_utf8(payload)) {
    to += R"("data":)";
    append_json_string(to, payload);
  } else {
    to += R"("data_base64":")";
    append_base64(to, payload);
    to += '"';
  }
  if (headers.empty()) return;
  to += R"(,"headers":)";
  append_headers_json(to, headers);
}

void MessageMembers::read(JsonRequest& request) {
  request.text("data", text_);
  request.text("data_base64", base64_);
  request.texts("headers", fields_);
}

Result<> MessageMembers::finish(uint64_t payload_size_max) {
  if (text_ && base64_)
    return base::failure(base::Errc::invalid_argument, "either \"data\" or \"data_base64\"");
  if (base64_) {
    decoded_ = decode_base64(*base64_);
    if (!decoded_)
      return base::failure(base::Errc::invalid_argument,
                           "\"data_base64\" must be base64 with padding");
  }
  if (payload().size() > payload_size_max) return base::failure(base::Errc::message_too_large);
  for (auto& [name, value] : fields_)
    if (Result<> added = append_header(headers_, name, value); !added) return added;
  return {};
}

}  // namespace tram::protocols::api
