#include "tram/client/parser.h"

#include <cstring>

namespace tram::client {

using base::BytesView;

namespace {

constexpr Parsed malformed{Parsed::Outcome::malformed, 0};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The rest of a control line, taken word by word.
class Words {
 public:
  explicit Words(BytesView line) : at_(line.data()), end_(line.data() + line.size()) {}

  BytesView next() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
    const char* start = at_;
    while (at_ != end_ && !is_blank(*at_)) ++at_;
    return {start, static_cast<size_t>(at_ - start)};
  }

 private:
  const char* at_;
  const char* end_;
};

bool read_number(BytesView word, uint64_t& number) {
  if (word.empty() || word.size() > 18) return false;
  number = 0;
  for (char c : word) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return true;
}

// `line` is what follows MSG or HMSG; `body` is where the bytes start in the input.
Parsed parse_message(BytesView input, BytesView line, size_t body, bool has_headers,
                     const ParserLimits& limits, Frame& frame) {
  Words words(line);
  BytesView word[6];
  size_t count = 0;
  while (count < 6 && !(word[count] = words.next()).empty()) ++count;
  size_t sizes = has_headers ? 2 : 1;
  if (count != 2 + sizes && count != 3 + sizes) return malformed;

  uint64_t total = 0;
  uint64_t header_size = 0;
  if (!read_number(word[1], frame.sid) || !read_number(word[count - 1], total)) return malformed;
  if (has_headers && !read_number(word[count - 2], header_size)) return malformed;
  if (total > limits.message_bytes_max || header_size > total) return malformed;

  size_t needed = body + total + 2;
  if (input.size() < needed) return {Parsed::Outcome::more, needed};
  if (input[needed - 2] != '\r' || input[needed - 1] != '\n') return malformed;
  frame.kind = FrameKind::message;
  frame.text = {};
  frame.subject = word[0];
  frame.reply = count == 3 + sizes ? word[2] : BytesView();
  frame.headers = input.substr(body, header_size);
  frame.payload = input.substr(body + header_size, total - header_size);
  return {Parsed::Outcome::frame, needed};
}

bool is_word(BytesView word, BytesView lower_case) {
  if (word.size() != lower_case.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (lower(word[i]) != lower_case[i]) return false;
  }
  return true;
}

BytesView without_quotes(BytesView text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'') {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

}  // namespace

Parsed parse_frame(BytesView input, const ParserLimits& limits, Frame& frame) {
  const void* newline = input.empty() ? nullptr : std::memchr(input.data(), '\n', input.size());
  if (newline == nullptr) {
    if (input.size() > limits.line_bytes_max) return malformed;
    return {Parsed::Outcome::more, input.size() + 1};
  }
  size_t end = static_cast<size_t>(static_cast<const char*>(newline) - input.data());
  if (end == 0 || input[end - 1] != '\r' || end > limits.line_bytes_max) return malformed;
  BytesView line = input.substr(0, end - 1);
  size_t body = end + 1;

  // Messages first and by their first bytes: nearly everything is one.
  if (line.size() > 4 && line.starts_with("MSG ")) {
    return parse_message(input, line.substr(4), body, false, limits, frame);
  }
  if (line.size() > 5 && line.starts_with("HMSG ")) {
    return parse_message(input, line.substr(5), body, true, limits, frame);
  }
  size_t word_end = 0;
  while (word_end < line.size() && !is_blank(line[word_end])) ++word_end;
  BytesView word = line.substr(0, word_end);
  BytesView rest = line.substr(word_end);
  if (is_word(word, "msg")) return parse_message(input, rest, body, false, limits, frame);
  if (is_word(word, "hmsg")) return parse_message(input, rest, body, true, limits, frame);

  frame = Frame();
  if (is_word(word, "ping")) {
    frame.kind = FrameKind::ping;
  } else if (is_word(word, "pong")) {
    frame.kind = FrameKind::pong;
  } else if (is_word(word, "+ok")) {
    frame.kind = FrameKind::ok;
  } else if (is_word(word, "info")) {
    frame.kind = FrameKind::info;
    frame.text = without_quotes(rest);
  } else if (is_word(word, "-err")) {
    frame.kind = FrameKind::error;
    frame.text = without_quotes(rest);
  } else {
    return malformed;
  }
  return {Parsed::Outcome::frame, body};
}

}  // namespace tram::client
