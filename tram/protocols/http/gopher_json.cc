#include "tram/protocols/http/gopher_json.h"

#include <cstdint>

#include "tram/protocols/api/json_text.h"

namespace tram::protocols::http {

namespace {

// Go's limit.
constexpr size_t depth_max = 10'000;
constexpr BytesView replacement = "\xEF\xBF\xBD";

void append_utf8(std::string& to, uint32_t code) {
  auto put = [&](uint32_t byte) { to += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Reader {
 public:
  explicit Reader(BytesView text) : text_(text) {}

  bool read(const GopherMembers& members) {
    skip_space();
    if (peek() == 'n') return take("null");
    if (!take('{')) return false;
    skip_space();
    if (take('}')) return true;
    while (true) {
      GopherText name;
      if (!read_string(name) || !read_member(find(members, name.view()))) return false;
      skip_space();
      if (take('}')) return true;
      if (!take(',')) return false;
      skip_space();
    }
  }

 private:
  // As Go folds: ASCII letters of either case, and U+017F for s.
  static bool folds_to(BytesView name, BytesView wanted) {
    size_t at = 0;
    for (char c : wanted) {
      BytesView rest = name.substr(at);
      if (rest.empty()) return false;
      if (rest.front() == c || rest.front() == c - 32)
        at += 1;
      else if (c == 's' && rest.starts_with("\xC5\xBF"))
        at += 2;
      else
        return false;
    }
    return at == name.size();
  }
  static GopherText* find(const GopherMembers& members, BytesView name) {
    if (members.subject && folds_to(name, "subject")) return members.subject;
    if (members.data && folds_to(name, "data")) return members.data;
    if (members.id && folds_to(name, "id")) return members.id;
    return nullptr;
  }

  bool read_member(GopherText* member) {
    skip_space();
    if (!take(':')) return false;
    skip_space();
    if (!member) return skip_value();
    if (peek() == 'n') return take("null");
    return peek() == '"' && read_string(*member);
  }

  bool read_string(GopherText& to) {
    if (!take('"')) return false;
    size_t begin = at_;
    bool plain = true;
    while (true) {
      if (at_ == text_.size()) return false;
      auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') break;
      if (c < 0x20) return false;
      plain = plain && c != '\\';
      at_ += c == '\\' ? 2 : 1;
      if (at_ > text_.size()) return false;
    }
    BytesView raw = text_.substr(begin, at_ - begin);
    ++at_;
    if (plain && api::is_utf8(raw)) {
      to.set_plain(raw);
      return true;
    }
    std::string decoded;
    if (!decode(raw, decoded)) return false;
    to.set_decoded(std::move(decoded));
    return true;
  }

  static bool decode(BytesView raw, std::string& to) {
    while (!raw.empty()) {
      if (raw.front() == '\\') {
        if (!decode_escape(raw, to)) return false;
        continue;
      }
      BytesView run = raw.substr(0, raw.find('\\'));
      raw.remove_prefix(run.size());
      while (!run.empty()) {
        size_t good = api::valid_utf8_prefix(run);
        to.append(run, 0, good);
        run.remove_prefix(good);
        if (run.empty()) break;
        to += replacement;
        run.remove_prefix(1);
      }
    }
    return true;
  }

  // Takes one escape off the front; for a pair of surrogates, both.
  static bool decode_escape(BytesView& raw, std::string& to) {
    char kind = raw[1];
    if (kind == 'u') {
      int64_t code = hex4(raw);
      if (code < 0) return false;
      raw.remove_prefix(6);
      if (code >= 0xD800 && code < 0xE000) {
        int64_t second = hex4(raw);
        bool pair = code < 0xDC00 && second >= 0xDC00 && second < 0xE000;
        if (pair) raw.remove_prefix(6);
        code = pair ? 0x10000 + (code - 0xD800) * 0x400 + (second - 0xDC00) : 0xFFFD;
      }
      append_utf8(to, static_cast<uint32_t>(code));
      return true;
    }
    constexpr BytesView kinds = "\"\\/bfnrt";
    constexpr BytesView means = "\"\\/\b\f\n\r\t";
    size_t which = kinds.find(kind);
    if (which == BytesView::npos) return false;
    to += means[which];
    raw.remove_prefix(2);
    return true;
  }
  // -1 if there is no \uXXXX at the front.
  static int64_t hex4(BytesView raw) {
    if (raw.size() < 6 || raw[0] != '\\' || raw[1] != 'u') return -1;
    int64_t code = 0;
    for (char c : raw.substr(2, 4)) {
      int digit = is_digit(c)            ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
      if (digit < 0) return -1;
      code = code * 16 + digit;
    }
    return code;
  }

  bool skip_number() {
    take('-');
    if (!take('0') && !skip_digits()) return false;
    if (take('.') && !skip_digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return skip_digits();
    }
    return true;
  }
  bool skip_digits() {
    size_t begin = at_;
    while (is_digit(peek())) ++at_;
    return at_ > begin;
  }
  bool skip_scalar() {
    GopherText ignored;
    switch (peek()) {
      case '"':
        return read_string(ignored);
      case 't':
        return take("true");
      case 'f':
        return take("false");
      case 'n':
        return take("null");
      default:
        return skip_number();
    }
  }
  bool skip_name() {
    GopherText ignored;
    skip_space();
    if (!read_string(ignored)) return false;
    skip_space();
    return take(':');
  }

  // Without recursion: how deep it goes is the sender's choice. `open_` holds the brackets.
  bool skip_value() {
    open_.clear();
    while (true) {
      skip_space();
      if (peek() == '{' || peek() == '[') {
        // The object around it counts too.
        if (open_.size() + 2 > depth_max) return false;
        open_ += text_[at_++];
        skip_space();
        if (peek() != (open_.back() == '{' ? '}' : ']')) {
          if (open_.back() == '{' && !skip_name()) return false;
          continue;
        }
      } else if (!skip_scalar()) {
        return false;
      }
      if (!close_finished()) return false;
      if (open_.empty()) return true;
    }
  }
  // After a value, or before the end of an empty one: closes what ends here, and moves to the
  // next value of what does not.
  bool close_finished() {
    while (!open_.empty()) {
      skip_space();
      if (take(open_.back() == '{' ? '}' : ']')) {
        open_.pop_back();
        continue;
      }
      return take(',') && (open_.back() == '[' || skip_name());
    }
    return true;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(BytesView word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  BytesView text_;
  size_t at_ = 0;
  std::string open_;
};

void append_gopher_escape(std::string& to, unsigned char c) {
  constexpr BytesView hex = "0123456789abcdef";
  constexpr BytesView plain = "\"\\\b\f\n\r\t";
  constexpr BytesView letters = "\"\\bfnrt";
  size_t which = plain.find(static_cast<char>(c));
  to += '\\';
  if (which != BytesView::npos) {
    to += letters[which];
    return;
  }
  to += "u00";
  to += hex[c >> 4];
  to += hex[c & 15];
}

}  // namespace

bool read_gopher_json(BytesView body, const GopherMembers& members) {
  return Reader(body).read(members);
}

void append_gopher_string(std::string& to, BytesView text) {
  to += '"';
  while (!text.empty()) {
    size_t good = api::valid_utf8_prefix(text);
    BytesView run = text.substr(0, good);
    for (size_t i = 0; i < run.size(); ++i) {
      auto c = static_cast<unsigned char>(run[i]);
      if (c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&') {
        append_gopher_escape(to, c);
      } else if (c == 0xE2 && (run.substr(i, 3) == "\u2028" || run.substr(i, 3) == "\u2029")) {
        to += run.substr(i, 3) == "\u2028" ? "\\u2028" : "\\u2029";
        i += 2;
      } else {
        to += run[i];
      }
    }
    text.remove_prefix(good);
    if (text.empty()) break;
    to += "\\ufffd";
    text.remove_prefix(1);
  }
  to += '"';
}

std::string gopher_message_json(BytesView message) {
  std::string json = R"({"message":)";
  append_gopher_string(json, message);
  json += "}\n";
  return json;
}

}  // namespace tram::protocols::http
