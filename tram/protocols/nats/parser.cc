#include "tram/protocols/nats/parser.h"

#include <algorithm>
#include <cstring>

#include "tram/broker/subject.h"

namespace tram::protocols::nats {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

struct Spelling {
  BytesView text;
  Verb verb;
  // These take arguments, so a blank must follow; the others ignore what follows.
  bool takes_arguments;
};

// The most frequent first.
constexpr Spelling spellings[] = {
    {"PUB", Verb::pub, true},         {"HPUB", Verb::hpub, true},  {"SUB", Verb::sub, true},
    {"UNSUB", Verb::unsub, true},     {"PING", Verb::ping, false}, {"PONG", Verb::pong, false},
    {"CONNECT", Verb::connect, true}, {"INFO", Verb::info, true},  {"+OK", Verb::ok, false},
    {"-ERR", Verb::err, true},
};

bool same_letter(char given, char upper) {
  return given == upper || (upper >= 'A' && upper <= 'Z' && given == upper + ('a' - 'A'));
}

bool starts_with(BytesView bytes, BytesView upper) {
  if (bytes.size() < upper.size()) return false;
  for (size_t i = 0; i < upper.size(); ++i)
    if (!same_letter(bytes[i], upper[i])) return false;
  return true;
}

// Could more bytes make this a line? Garbage is told apart at its first wrong byte, so that
// whoever speaks another protocol hears of it at once.
bool may_become_line(BytesView bytes) {
  for (const Spelling& spelling : spellings) {
    if (bytes.size() <= spelling.text.size()) {
      if (starts_with(bytes, spelling.text.substr(0, bytes.size()))) return true;
      continue;
    }
    if (!starts_with(bytes, spelling.text)) continue;
    if (!spelling.takes_arguments || is_blank(bytes[spelling.text.size()])) return true;
  }
  return false;
}

BytesView trim(BytesView text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

LineStatus parse_line(BytesView bytes, size_t limit, Line& line) {
  const auto* end = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
  if (end == nullptr) {
    if (!may_become_line(bytes)) return LineStatus::unknown;
    return bytes.size() > limit ? LineStatus::too_long : LineStatus::incomplete;
  }
  auto size = static_cast<size_t>(end - bytes.data());
  line.size = size + 1;
  if (size > limit) return LineStatus::too_long;
  BytesView text = bytes.substr(0, size);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  for (const Spelling& spelling : spellings) {
    if (!starts_with(text, spelling.text)) continue;
    BytesView rest = text.substr(spelling.text.size());
    if (spelling.takes_arguments && (rest.empty() || !is_blank(rest.front())))
      return LineStatus::unknown;
    line.verb = spelling.verb;
    line.arguments = trim(rest);
    return LineStatus::whole;
  }
  return LineStatus::unknown;
}

Words split_words(BytesView arguments) {
  Words words;
  size_t i = 0;
  while (i < arguments.size()) {
    if (is_blank(arguments[i])) {
      ++i;
      continue;
    }
    size_t begin = i;
    while (i < arguments.size() && !is_blank(arguments[i])) ++i;
    if (words.count == words.word.size()) {
      ++words.count;
      return words;
    }
    words.word[words.count++] = arguments.substr(begin, i - begin);
  }
  return words;
}

namespace {

// What nearly every PUB says: a subject, a blank and a size. False if it is something else, or not
// surely that.
bool parse_subject_and_size(BytesView arguments, PubArguments& pub) {
  size_t digits = 0;
  uint32_t size = 0, unit = 1;
  for (; digits < std::min<size_t>(arguments.size(), 9); ++digits, unit *= 10) {
    const auto digit = static_cast<uint32_t>(arguments[arguments.size() - 1 - digits] - '0');
    if (digit > 9) break;
    size += digit * unit;
  }
  if (digits == 0 || arguments.size() < digits + 2) return false;
  BytesView subject = arguments.substr(0, arguments.size() - digits - 1);
  // A valid subject has no blank in it, so there are two words and no more.
  if (!is_blank(arguments[subject.size()]) || !broker::valid_subject(subject)) return false;
  pub.subject = subject;
  pub.subject_is_valid = true;
  pub.total_size = size;
  return true;
}

}  // namespace

bool parse_pub(BytesView arguments, bool has_headers, PubArguments& pub) {
  if (!has_headers && parse_subject_and_size(arguments, pub)) return true;
  const size_t least = has_headers ? 3 : 2;
  Words words = split_words(arguments);
  if (words.count != least && words.count != least + 1) return false;
  std::optional<uint32_t> total_size = parse_size(words.word[words.count - 1]);
  std::optional<uint32_t> headers_size =
      has_headers ? parse_size(words.word[words.count - 2]) : uint32_t{0};
  if (!headers_size || !total_size || *headers_size > *total_size) return false;
  pub.subject = words.word[0];
  if (words.count > least) pub.reply_to = words.word[1];
  pub.headers_size = *headers_size;
  pub.total_size = *total_size;
  return true;
}

std::optional<uint32_t> parse_size(BytesView digits) {
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  uint32_t number = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint32_t>(c - '0');
  }
  return number;
}

}  // namespace tram::protocols::nats
