// Pieces of JSON for --json: strings, and bytes that may not be text.
#pragma once

#include <string>

#include "tram/base/bytes.h"
#include "tram/client/headers.h"

namespace tram::cli {

// "text" in quotes, escaped.
std::string json_string(base::BytesView text);
// `"name":"..."`, or `"name_base64":"..."` when the bytes are not UTF-8.
std::string json_bytes(std::string_view name, base::BytesView bytes);
// {"Name":["value",...],...}, in the order of first appearance.
std::string json_headers(client::HeadersView headers);

std::string base64(base::BytesView bytes);
bool is_utf8(base::BytesView bytes);

}  // namespace tram::cli
