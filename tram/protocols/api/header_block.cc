#include "tram/protocols/api/header_block.h"

#include <fmt/core.h>
#include <utility>
#include <vector>

#include "tram/protocols/api/json_text.h"

namespace tram::protocols::api {

namespace {

constexpr std::string_view version_line = "NATS/1.0\r\n";

BytesView trimmed(BytesView text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool valid_name(BytesView name) {
  if (name.empty()) return false;
  for (unsigned char c : name)
    if (c <= ' ' || c >= 0x7F || c == ':') return false;
  return true;
}

}  // namespace

HeaderFields::HeaderFields(BytesView block) {
  size_t end = block.find('\n');
  if (end != BytesView::npos) rest_ = block.substr(end + 1);
}

bool HeaderFields::next() {
  while (!rest_.empty()) {
    size_t end = rest_.find('\n');
    BytesView line = rest_.substr(0, end);
    rest_.remove_prefix(end == BytesView::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    size_t colon = line.find(':');
    if (colon == BytesView::npos || colon == 0) continue;
    name_ = line.substr(0, colon);
    value_ = trimmed(line.substr(colon + 1));
    return true;
  }
  return false;
}

base::Result<> append_header(std::string& block, BytesView name, BytesView value) {
  if (!valid_name(name))
    return base::failure(base::Errc::invalid_header,
                         fmt::format("the name \"{}\"", name.substr(0, 64)));
  if (value.find_first_of(BytesView("\r\n\0", 3)) != BytesView::npos)
    return base::failure(base::Errc::invalid_header, fmt::format("the value of {}", name));
  if (block.empty())
    block = version_line;
  else
    block.resize(block.size() - 2);
  block.append(name).append(": ").append(trimmed(value)).append("\r\n\r\n");
  return {};
}

void append_headers_json(std::string& to, BytesView block) {
  // Few headers, so looking through all of them for each name is quick enough; a hostile block of
  // thousands is cut off from meaning, not from being sent: it stays with the message.
  constexpr size_t fields_max = 256;
  std::vector<std::pair<BytesView, BytesView>> all;
  for (HeaderFields fields(block); all.size() < fields_max && fields.next();)
    all.emplace_back(fields.name(), fields.value());
  to += '{';
  bool first_member = true;
  for (size_t i = 0; i < all.size(); ++i) {
    bool seen = false;
    size_t values = 0;
    for (size_t k = 0; k < all.size(); ++k) {
      if (all[k].first != all[i].first) continue;
      seen = seen || k < i;
      ++values;
    }
    if (seen) continue;
    if (!std::exchange(first_member, false)) to += ',';
    append_json_string(to, all[i].first);
    to += ':';
    if (values > 1) to += '[';
    bool first_value = true;
    for (size_t k = i; k < all.size(); ++k) {
      if (all[k].first != all[i].first) continue;
      if (!std::exchange(first_value, false)) to += ',';
      append_json_string(to, all[k].second);
    }
    if (values > 1) to += ']';
  }
  to += '}';
}

}  // namespace tram::protocols::api
