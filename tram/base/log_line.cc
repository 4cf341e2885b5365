#include "tram/base/log_line.h"

namespace tram::base {

void LogLine::append(std::string_view key, std::string_view value) {
  if (!text_.empty()) text_ += ' ';
  text_.append(key).append("=");
  bool plain = !value.empty();
  for (unsigned char c : value)
    plain = plain && c > ' ' && c != '"' && c != '\\' && c != '=' && c != 0x7F;
  if (plain) {
    text_.append(value);
    return;
  }
  text_ += '"';
  for (unsigned char c : value) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += static_cast<char>(c);
    } else if (c < ' ' || c == 0x7F) {
      text_ += fmt::format("\\x{:02x}", c);
    } else {
      text_ += static_cast<char>(c);
    }
  }
  text_ += '"';
}

}  // namespace tram::base
