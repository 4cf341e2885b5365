#include "tram/protocols/api/json_text.h"

#include <array>
#include <charconv>

namespace tram::protocols::api {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_values() {
  std::array<int8_t, 256> values{};
  for (int8_t& value : values) value = -1;
  for (size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
  return values;
}
constexpr std::array<int8_t, 256> values = make_values();

bool continues(BytesView text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// The size of the character at `at`; 0 if there is none.
size_t character_size(BytesView text, size_t at) {
  auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(text, at + 1)) return 0;
  if (first < 0xE0) return 2;
  auto second = static_cast<unsigned char>(text[at + 1]);
  if (!continues(text, at + 2)) return 0;
  if (first < 0xF0) {
    bool overlong = first == 0xE0 && second < 0xA0;
    bool surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  bool overlong = first == 0xF0 && second < 0x90;
  bool too_large = first == 0xF4 && second > 0x8F;
  return overlong || too_large || !continues(text, at + 3) ? 0 : 4;
}

void append_escaped(std::string& to, unsigned char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"':
      to += "\\\"";
      break;
    case '\\':
      to += "\\\\";
      break;
    case '\n':
      to += "\\n";
      break;
    case '\r':
      to += "\\r";
      break;
    case '\t':
      to += "\\t";
      break;
    default:
      to += "\\u00";
      to += hex[c >> 4];
      to += hex[c & 15];
  }
}

}  // namespace

size_t valid_utf8_prefix(BytesView text) {
  size_t at = 0;
  while (at < text.size()) {
    size_t size = character_size(text, at);
    if (size == 0) return at;
    at += size;
  }
  return at;
}

void append_json_string(std::string& to, BytesView text) {
  to += '"';
  size_t plain = 0;  // From here on nothing has been appended yet.
  size_t at = 0;
  while (at < text.size()) {
    auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x80) {
      if (size_t size = character_size(text, at); size > 0) {
        at += size;
        continue;
      }
      to.append(text, plain, at - plain).append("\xEF\xBF\xBD");
    } else if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F) {
      to.append(text, plain, at - plain);
      append_escaped(to, c);
    } else {
      ++at;
      continue;
    }
    plain = ++at;
  }
  to.append(text, plain).append("\"");
}

void append_json_number(std::string& to, uint64_t number) {
  char digits[20];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  to.append(digits, end);
}

void append_base64(std::string& to, BytesView bytes) {
  size_t i = 0;
  to.reserve(to.size() + (bytes.size() + 2) / 3 * 4);
  auto byte = [&](size_t at) { return uint32_t{static_cast<unsigned char>(bytes[at])}; };
  for (; i + 3 <= bytes.size(); i += 3) {
    uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) to += alphabet[group >> shift & 63];
  }
  size_t left = bytes.size() - i;
  if (left == 0) return;
  uint32_t group = byte(i) << 16 | (left == 2 ? byte(i + 1) << 8 : 0);
  to += alphabet[group >> 18 & 63];
  to += alphabet[group >> 12 & 63];
  to += left == 2 ? alphabet[group >> 6 & 63] : '=';
  to += '=';
}

std::optional<std::string> decode_base64(BytesView text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    size_t used = i + 4 == text.size() ? 4 - padding : 4;
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k) {
      int value = k < used ? values[static_cast<unsigned char>(text[i + k])] : 0;
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<uint32_t>(value);
    }
    // Bits beyond the last byte must be zero: one text for each sequence of bytes.
    if ((used == 3 && (group & 0xFF) != 0) || (used == 2 && (group & 0xFFFF) != 0))
      return std::nullopt;
    for (size_t k = 0; k + 1 < used; ++k) bytes += static_cast<char>(group >> (16 - 8 * k) & 0xFF);
  }
  return bytes;
}

}  // namespace tram::protocols::api
