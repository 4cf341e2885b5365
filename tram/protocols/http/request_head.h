// The head of a request, RFC 9112: its line and its headers, read in one pass.
//
// Everything is a view into the bytes given; nothing is allocated. Where the RFC lets a server
// be lenient, this one is not: two readers of one request that disagree on where it ends are how
// requests are smuggled. Bare LF, folded lines, blanks before the colon, repeated or odd
// Content-Length, and Transfer-Encoding together with it are all refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "tram/base/bytes.h"
#include "tram/base/error.h"

namespace tram::protocols::http {

using base::BytesView;

// `delete` alone is a keyword.
// NOLINTNEXTLINE(readability-identifier-naming)
enum class Method : uint8_t { get, head, post, put, delete_, patch, options, other };
BytesView name_of(Method method);

struct RequestHead {
  Method method = Method::other;
  uint8_t minor_version = 1;  // HTTP/1.0 or HTTP/1.1.
  bool keep_alive = true;
  bool chunked = false;
  bool expects_continue = false;
  bool upgrades_to_websocket = false;  // Connection and Upgrade both say so.
  uint64_t content_length = 0;
  size_t size = 0;  // Of the whole head, with the empty line at its end.

  BytesView path;   // As sent, percent signs and all. "*" for OPTIONS *.
  BytesView query;  // After the '?', as sent.
  BytesView host;
  BytesView content_type;
  BytesView accept;
  BytesView authorization;
  BytesView origin;
  BytesView websocket_key;
  BytesView websocket_version;
  BytesView fields;  // All header lines.
};

// Why a request cannot be read any further. The connection closes after saying so.
struct HeadRefusal {
  int status = 400;
  base::Error error;
};

// The size of the head at the front of `bytes`; 0 if it is not all there. `scanned` bytes were
// looked at before, in vain.
size_t find_head_end(BytesView bytes, size_t scanned = 0);

// `head` is what find_head_end found.
std::expected<RequestHead, HeadRefusal> parse_head(BytesView head, size_t header_count_max);

// Walks header lines that `parse_head` has accepted.
class FieldLines {
 public:
  explicit FieldLines(BytesView fields) : rest_(fields) {}
  bool next();
  BytesView name() const { return name_; }
  BytesView value() const { return value_; }

 private:
  BytesView rest_;
  BytesView name_;
  BytesView value_;
};

// Header names and tokens: letters of either case are the same.
bool same_token(BytesView a, BytesView b);
bool starts_with_token(BytesView text, BytesView prefix);
// Is `name` a header's name as RFC 9110 has it?
bool is_token(BytesView name);
// Is `token` one of the words of a list such as "keep-alive, Upgrade"?
bool list_has(BytesView list, BytesView token);
// `type` without its parameters: "text/plain" of "text/plain; charset=utf-8".
BytesView media_type(BytesView type);

}  // namespace tram::protocols::http
