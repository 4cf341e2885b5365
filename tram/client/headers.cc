#include "tram/client/headers.h"

namespace tram::client {

using base::BytesView;
using base::Errc;
using base::failure;
using base::Result;

namespace {

constexpr BytesView version = "NATS/1.0";

BytesView trimmed(BytesView text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_name(BytesView a, BytesView b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// Cuts the first line off `rest` and returns it without its line break.
BytesView take_line(BytesView& rest) {
  size_t end = rest.find('\n');
  BytesView line = rest.substr(0, end);
  rest.remove_prefix(end == BytesView::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

BytesView HeadersView::first_line() const {
  BytesView rest = block_;
  return take_line(rest);
}

BytesView HeadersView::after_first_line() const {
  BytesView rest = block_;
  take_line(rest);
  return rest;
}

bool HeadersView::next_line(BytesView& rest, BytesView& name, BytesView& value) {
  if (rest.empty()) return false;
  BytesView line = take_line(rest);
  if (line.empty()) return false;
  size_t colon = line.find(':');
  name = colon == BytesView::npos ? BytesView() : trimmed(line.substr(0, colon));
  value = colon == BytesView::npos ? BytesView() : trimmed(line.substr(colon + 1));
  return true;
}

std::optional<BytesView> HeadersView::find(BytesView name) const {
  BytesView rest = after_first_line();
  BytesView found, value;
  while (next_line(rest, found, value)) {
    if (same_name(found, name)) return value;
  }
  return std::nullopt;
}

int HeadersView::status() const {
  BytesView line = first_line();
  if (!line.starts_with(version)) return 0;
  line = trimmed(line.substr(version.size()));
  if (line.size() < 3) return 0;
  int status = 0;
  for (char c : line.substr(0, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

BytesView HeadersView::description() const {
  if (status() == 0) return {};
  BytesView line = trimmed(first_line().substr(version.size()));
  return trimmed(line.substr(3));
}

Result<> Headers::add(BytesView name, BytesView value) {
  if (name.empty()) return failure(Errc::invalid_header, "a header's name is empty");
  for (char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 127 || c == ':') {
      return failure(Errc::invalid_header, "a header's name has no spaces and no colon");
    }
  }
  if (value.find_first_of("\r\n") != BytesView::npos) {
    return failure(Errc::invalid_header, "a header's value is one line");
  }
  lines_.append(name).append(": ").append(value).append("\r\n");
  return {};
}

Result<> Headers::add_line(BytesView line) {
  size_t colon = line.find(':');
  if (colon == BytesView::npos) {
    return failure(Errc::invalid_header,
                   "a header is written 'Name: value', not '" + base::Bytes(line) + "'");
  }
  return add(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
}

base::Bytes Headers::block() const {
  if (lines_.empty()) return {};
  return base::Bytes(version).append("\r\n").append(lines_).append("\r\n");
}

}  // namespace tram::client
