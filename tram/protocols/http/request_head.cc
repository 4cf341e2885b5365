#include "tram/protocols/http/request_head.h"

#include <array>
#include <charconv>
#include <cstring>

namespace tram::protocols::http {

namespace {

constexpr size_t method_size_max = 32;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> token_table = make_token_table();

BytesView trimmed(BytesView text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::unexpected<HeadRefusal> refuse(std::string detail, int status = 400) {
  return std::unexpected(HeadRefusal{status, {base::Errc::protocol_error, std::move(detail)}});
}

Method method_of(BytesView name) {
  for (Method method : {Method::get, Method::post, Method::head, Method::put, Method::delete_,
                        Method::patch, Method::options})
    if (name == name_of(method)) return method;
  return Method::other;
}

// "/path?query", "http://host/path?query" or "*".
bool split_target(BytesView target, RequestHead& head) {
  for (unsigned char c : target)
    if (c <= ' ' || c == 0x7F || c == '#') return false;
  if (target == "*") {
    head.path = target;
    return head.method == Method::options;
  }
  if (starts_with_token(target, "http://") || starts_with_token(target, "https://")) {
    target.remove_prefix(target.find("//") + 2);
    size_t authority = target.find_first_of("/?");
    if (authority == 0) return false;
    target.remove_prefix(authority == BytesView::npos ? target.size() : authority);
    if (target.empty()) target = "/";
  }
  size_t mark = target.find('?');
  head.path = target.substr(0, mark);
  if (mark != BytesView::npos) head.query = target.substr(mark + 1);
  return head.path.starts_with('/');
}

// What the headers say that must be said at most once, or must agree.
struct Seen {
  bool host = false;
  bool content_length = false;
  bool transfer_encoding = false;
  bool closes = false;
  bool keeps_alive = false;
  bool upgrades = false;
  bool to_websocket = false;
};

using Refused = std::optional<std::unexpected<HeadRefusal>>;

Refused take_content_length(BytesView value, RequestHead& head, Seen& seen) {
  if (seen.content_length) return refuse("Content-Length is there twice");
  seen.content_length = true;
  for (char c : value)
    if (c < '0' || c > '9') return refuse("Content-Length is not a number");
  auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), head.content_length);
  if (value.empty() || error != std::errc()) return refuse("Content-Length is not a number");
  return {};
}

Refused take_transfer_encoding(BytesView value, RequestHead& head, Seen& seen) {
  if (seen.transfer_encoding) return refuse("Transfer-Encoding is there twice");
  seen.transfer_encoding = true;
  if (!same_token(value, "chunked")) return refuse("a Transfer-Encoding other than chunked", 501);
  head.chunked = true;
  return {};
}

Refused take_field(BytesView name, BytesView value, RequestHead& head, Seen& seen) {
  // By length first: most headers are none of ours.
  switch (name.size()) {
    case 4:
      if (!same_token(name, "host")) break;
      if (seen.host) return refuse("Host is there twice");
      seen.host = true;
      head.host = value;
      break;
    case 6:
      if (same_token(name, "accept")) head.accept = value;
      if (same_token(name, "origin")) head.origin = value;
      if (same_token(name, "expect")) {
        if (!same_token(value, "100-continue")) return refuse("what Expect asks for", 417);
        head.expects_continue = true;
      }
      break;
    case 7:
      if (same_token(name, "upgrade") && list_has(value, "websocket")) seen.to_websocket = true;
      break;
    case 10:
      if (!same_token(name, "connection")) break;
      seen.closes = seen.closes || list_has(value, "close");
      seen.keeps_alive = seen.keeps_alive || list_has(value, "keep-alive");
      seen.upgrades = seen.upgrades || list_has(value, "upgrade");
      break;
    case 12:
      if (same_token(name, "content-type")) head.content_type = value;
      break;
    case 13:
      if (same_token(name, "authorization")) head.authorization = value;
      break;
    case 14:
      if (same_token(name, "content-length")) return take_content_length(value, head, seen);
      break;
    case 17:
      if (same_token(name, "transfer-encoding")) return take_transfer_encoding(value, head, seen);
      if (same_token(name, "sec-websocket-key")) head.websocket_key = value;
      break;
    case 21:
      if (same_token(name, "sec-websocket-version")) head.websocket_version = value;
      break;
    default:
      break;
  }
  return {};
}

Refused parse_line(BytesView line, RequestHead& head) {
  size_t first = line.find(' ');
  size_t second = first == BytesView::npos ? first : line.find(' ', first + 1);
  if (second == BytesView::npos) return refuse("the request line is not 'METHOD target HTTP/1.1'");
  BytesView method = line.substr(0, first);
  BytesView target = line.substr(first + 1, second - first - 1);
  BytesView version = line.substr(second + 1);
  if (method.size() > method_size_max || !is_token(method)) return refuse("the method");
  head.method = method_of(method);
  if (version == "HTTP/1.1" || version == "HTTP/1.0") {
    head.minor_version = version.back() == '1' ? 1 : 0;
  } else {
    bool other_version = version.starts_with("HTTP/") && version.size() == 8;
    return refuse("the version: this port speaks HTTP/1.1", other_version ? 505 : 400);
  }
  if (!split_target(target, head)) return refuse("the request's target");
  return {};
}

bool valid_value(BytesView value) {
  for (unsigned char c : value)
    if ((c < ' ' && c != '\t') || c == 0x7F) return false;
  return true;
}

Refused conclude(RequestHead& head, const Seen& seen) {
  if (head.minor_version == 1 && !seen.host) return refuse("there is no Host");
  if (head.chunked && head.minor_version == 0) return refuse("HTTP/1.0 knows no chunks");
  if (head.chunked && seen.content_length)
    return refuse("Content-Length and Transfer-Encoding together");
  head.keep_alive = head.minor_version == 1 ? !seen.closes : seen.keeps_alive && !seen.closes;
  head.upgrades_to_websocket = seen.upgrades && seen.to_websocket && head.minor_version == 1;
  if (head.minor_version == 0) head.expects_continue = false;
  return {};
}

}  // namespace

BytesView name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::delete_:
      return "DELETE";
    case Method::patch:
      return "PATCH";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "other";
}

size_t find_head_end(BytesView bytes, size_t scanned) {
  // An end spans at most four bytes, so looking begins a little before what is new. Bare LFs end
  // a head too: to be refused at once, and not after a time-out.
  size_t at = scanned > 3 ? scanned - 3 : 0;
  while (at < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
    if (!found) return 0;
    at = static_cast<size_t>(static_cast<const char*>(found) - bytes.data()) + 1;
    if (bytes.substr(at).starts_with("\r\n")) return at + 2;
    if (bytes.substr(at).starts_with('\n')) return at + 1;
  }
  return 0;
}

std::expected<RequestHead, HeadRefusal> parse_head(BytesView bytes, size_t header_count_max) {
  RequestHead head;
  head.size = bytes.size();
  size_t line_end = bytes.find('\n');
  if (line_end == 0 || line_end == BytesView::npos || bytes[line_end - 1] != '\r')
    return refuse("lines end with CR LF");
  if (Refused refused = parse_line(bytes.substr(0, line_end - 1), head)) return *refused;
  if (!bytes.ends_with("\r\n\r\n")) return refuse("lines end with CR LF");
  head.fields = bytes.substr(line_end + 1, bytes.size() - line_end - 3);

  Seen seen;
  size_t count = 0;
  for (BytesView rest = head.fields; !rest.empty();) {
    size_t end = rest.find('\n');
    if (end == 0 || rest[end - 1] != '\r') return refuse("lines end with CR LF");
    BytesView line = rest.substr(0, end - 1);
    rest.remove_prefix(end + 1);
    size_t colon = line.find(':');
    if (colon == BytesView::npos || !is_token(line.substr(0, colon)))
      return refuse("a header is not 'Name: value'");
    BytesView value = trimmed(line.substr(colon + 1));
    if (!valid_value(value)) return refuse("a control character in a header");
    if (++count > header_count_max)
      return std::unexpected(HeadRefusal{431, {base::Errc::request_too_large, "too many headers"}});
    if (Refused refused = take_field(line.substr(0, colon), value, head, seen)) return *refused;
  }
  if (Refused refused = conclude(head, seen)) return *refused;
  return head;
}

bool FieldLines::next() {
  if (rest_.empty()) return false;
  size_t end = rest_.find('\n');
  BytesView line = rest_.substr(0, end - 1);
  rest_.remove_prefix(end + 1);
  size_t colon = line.find(':');
  name_ = line.substr(0, colon);
  value_ = trimmed(line.substr(colon + 1));
  return true;
}

bool same_token(BytesView a, BytesView b) {
  return a.size() == b.size() && starts_with_token(a, b);
}

bool starts_with_token(BytesView text, BytesView prefix) {
  if (text.size() < prefix.size()) return false;
  for (size_t i = 0; i < prefix.size(); ++i)
    if (lower(text[i]) != lower(prefix[i])) return false;
  return true;
}

bool is_token(BytesView name) {
  if (name.empty()) return false;
  for (unsigned char c : name)
    if (!token_table[c]) return false;
  return true;
}

bool list_has(BytesView list, BytesView token) {
  while (!list.empty()) {
    size_t comma = list.find(',');
    if (same_token(trimmed(list.substr(0, comma)), token)) return true;
    list.remove_prefix(comma == BytesView::npos ? list.size() : comma + 1);
  }
  return false;
}

BytesView media_type(BytesView type) { return trimmed(type.substr(0, type.find(';'))); }

}  // namespace tram::protocols::http
