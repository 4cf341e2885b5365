// JSON as text: strings and base64, appended to what is being written.
//
// Writing JSON needs no library: a few appends are faster than a document and easier to read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tram/base/bytes.h"

namespace tram::protocols::api {

using base::BytesView;

// How far `text` is UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past
// U+10FFFF. Returns text.size() if all of it is.
size_t valid_utf8_prefix(BytesView text);
inline bool is_utf8(BytesView text) { return valid_utf8_prefix(text) == text.size(); }

// Appends `text` as a JSON string, quotes included. Always valid JSON: bytes that are not UTF-8
// become U+FFFD, one for each; send such bytes as base64 instead where they must survive.
void append_json_string(std::string& to, BytesView text);
void append_json_number(std::string& to, uint64_t number);

// Base64 with padding (RFC 4648, section 4).
void append_base64(std::string& to, BytesView bytes);
// nullopt unless `text` is exactly that; no line breaks, no other alphabet.
std::optional<std::string> decode_base64(BytesView text);

}  // namespace tram::protocols::api
