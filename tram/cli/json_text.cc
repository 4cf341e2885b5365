#include "tram/cli/json_text.h"

#include <fmt/core.h>
#include <utility>
#include <vector>

namespace tram::cli {

using base::BytesView;

std::string json_string(BytesView text) {
  std::string json = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        json += "\\\"";
        break;
      case '\\':
        json += "\\\\";
        break;
      case '\n':
        json += "\\n";
        break;
      case '\r':
        json += "\\r";
        break;
      case '\t':
        json += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < ' ') {
          json += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          json += c;
        }
    }
  }
  return json += '"';
}

std::string json_bytes(std::string_view name, BytesView bytes) {
  if (is_utf8(bytes)) return fmt::format("\"{}\":{}", name, json_string(bytes));
  return fmt::format("\"{}_base64\":\"{}\"", name, base64(bytes));
}

std::string json_headers(client::HeadersView headers) {
  std::vector<std::pair<std::string, std::string>> lists;
  headers.for_each([&](BytesView name, BytesView value) {
    std::string text = json_string(is_utf8(value) ? value : base64(value));
    for (auto& [known, list] : lists) {
      if (known == name) {
        list += "," + text;
        return;
      }
    }
    lists.emplace_back(name, text);
  });
  std::string json = "{";
  for (auto& [name, list] : lists) {
    if (json.size() > 1) json += ',';
    json += fmt::format("{}:[{}]", json_string(is_utf8(name) ? name : base64(name)), list);
  }
  return json += '}';
}

std::string base64(BytesView bytes) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t left = std::min<size_t>(bytes.size() - i, 3);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < left ? static_cast<unsigned char>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += j <= left ? letters[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

bool is_utf8(BytesView bytes) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (size_t i = 0; i < bytes.size();) {
    unsigned char first = at(i);
    size_t more = first < 0x80       ? 0
                  : first >> 5 == 6  ? 1
                  : first >> 4 == 14 ? 2
                  : first >> 3 == 30 ? 3
                                     : 4;
    if (more == 4 || i + more >= bytes.size()) return false;
    uint32_t code = more == 0 ? first : first & (0x3FU >> more);
    for (size_t j = 1; j <= more; ++j) {
      if (at(i + j) >> 6 != 2) return false;
      code = code << 6 | (at(i + j) & 0x3FU);
    }
    constexpr uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    bool surrogate = code >= 0xD800 && code < 0xE000;
    if (code < least[more] || surrogate || code > 0x10FFFF) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace tram::cli
