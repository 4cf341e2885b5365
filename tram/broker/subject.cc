#include "tram/broker/subject.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace tram::broker {
namespace {

constexpr size_t queue_name_size_max = 200;

// What a byte can be, as bits, so that one pass can say what all bytes of a text are.
enum Kind : uint8_t { plain = 1, dot = 2, wildcard_like = 4, forbidden = 8 };

constexpr std::array<uint8_t, 256> kinds = [] {
  std::array<uint8_t, 256> table{};
  table.fill(plain);
  table['.'] = dot;
  table['*'] = table['>'] = wildcard_like;
  for (unsigned char c : {'\0', ' ', '\t', '\r', '\n'}) table[c] = forbidden;
  return table;
}();

// All kinds in `text`, with `forbidden` also for an empty token or an empty text.
unsigned kinds_in(BytesView text) {
  unsigned all = 0, previous = dot;
  for (unsigned char c : text) {
    unsigned kind = kinds[c];
    bool empty_token = kind & previous & dot;
    all |= empty_token ? kind | forbidden : kind;
    previous = kind;
  }
  return previous == dot ? all | forbidden : all;
}

// Eight bytes at a time: true only for text of whole tokens without a byte below '!' and without
// anything like a wildcard, which is what nearly all subjects are. False: look closer.
bool surely_plain(BytesView text) {
  if (text.size() < 9 || text.front() == '.' || kinds[static_cast<uint8_t>(text.back())] != plain)
    return false;
  using Eight [[gnu::vector_size(8)]] = uint8_t;
  Eight wrong = {};
  const size_t last = text.size() - 9;
  for (size_t at = 0;; at = std::min(at + 8, last)) {
    Eight bytes, next;
    std::memcpy(&bytes, text.data() + at, 8);
    std::memcpy(&next, text.data() + at + 1, 8);
    wrong |= (bytes < '!') | (bytes == '*') | (bytes == '>') | ((bytes == '.') & (next == '.'));
    if (at == last) return std::bit_cast<uint64_t>(wrong) == 0;
  }
}

// Takes the first token off `rest`, and the dot after it. `rest` must not be empty.
BytesView next_token(BytesView& rest) {
  size_t end = std::min(rest.find('.'), rest.size());
  BytesView token = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return token;
}

bool is_wildcard(BytesView token) { return token == "*" || token == ">"; }

}  // namespace

bool valid_tokens(BytesView text) { return !(kinds_in(text) & forbidden); }

bool has_wildcard(BytesView pattern) {
  if (!(kinds_in(pattern) & wildcard_like)) return false;
  while (!pattern.empty())
    if (is_wildcard(next_token(pattern))) return true;
  return false;
}

bool valid_subject(BytesView subject) {
  if (surely_plain(subject)) return true;
  unsigned kinds_found = kinds_in(subject);
  if (kinds_found & forbidden) return false;
  return !(kinds_found & wildcard_like) || !has_wildcard(subject);
}

bool valid_pattern(BytesView pattern) {
  unsigned kinds_found = kinds_in(pattern);
  if (kinds_found & forbidden) return false;
  if (!(kinds_found & wildcard_like)) return true;
  while (!pattern.empty())
    if (next_token(pattern) == ">" && !pattern.empty()) return false;
  return true;
}

bool matches(BytesView pattern, BytesView subject) {
  while (!pattern.empty() && !subject.empty()) {
    BytesView wanted = next_token(pattern);
    if (wanted == ">") return true;
    BytesView token = next_token(subject);
    if (wanted != "*" && wanted != token) return false;
  }
  return pattern.empty() && subject.empty();
}

bool valid_queue_name(BytesView name) {
  if (name.empty() || name.size() > queue_name_size_max) return false;
  for (unsigned char c : name)
    if (c <= ' ' || c == 0x7F) return false;
  return !has_wildcard(name);
}

}  // namespace tram::broker
