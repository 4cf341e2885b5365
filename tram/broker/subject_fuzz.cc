// Any bytes as a subject and a pattern, held against a naive splitter; and no bytes may upset
// the router.
#include <cstddef>
#include <vector>

#include "tram/base/assert.h"
#include "tram/broker/router.h"
#include "tram/broker/subject.h"

using namespace tram::broker;

namespace {

using Tokens = std::vector<Bytes>;

Tokens split(BytesView text) {
  Tokens tokens(1);
  for (char c : text) {
    if (c == '.') {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  return tokens;
}

bool good_tokens(const Tokens& tokens) {
  for (const Bytes& token : tokens) {
    if (token.empty()) return false;
    for (char c : token)
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0') return false;
  }
  return true;
}

bool wild(const Tokens& tokens) {
  for (const Bytes& token : tokens)
    if (token == "*" || token == ">") return true;
  return false;
}

bool good_pattern(const Tokens& tokens) {
  if (!good_tokens(tokens)) return false;
  for (size_t i = 0; i + 1 < tokens.size(); ++i)
    if (tokens[i] == ">") return false;
  return true;
}

bool match(const Tokens& pattern, const Tokens& subject) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (i >= subject.size()) return false;
    if (pattern[i] == ">") return true;
    if (pattern[i] != "*" && pattern[i] != subject[i]) return false;
  }
  return pattern.size() == subject.size();
}

}  // namespace

// The first line is a pattern, the second a subject.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  BytesView input(reinterpret_cast<const char*>(data), size);
  BytesView pattern = input.substr(0, input.find('\n'));
  BytesView subject = pattern.size() < size ? input.substr(pattern.size() + 1) : BytesView();
  Tokens pattern_tokens = split(pattern), subject_tokens = split(subject);
  for (auto& [text, tokens] : {std::pair{pattern, pattern_tokens}, {subject, subject_tokens}}) {
    TRAM_ASSERT(valid_tokens(text) == good_tokens(tokens));
    TRAM_ASSERT(has_wildcard(text) == wild(tokens));
    TRAM_ASSERT(valid_subject(text) == (good_tokens(tokens) && !wild(tokens)));
    TRAM_ASSERT(valid_pattern(text) == good_pattern(tokens));
    TRAM_ASSERT(!valid_queue_name(text) || (text.size() <= 200 && !wild(tokens)));
  }
  if (!valid_pattern(pattern) || !valid_subject(subject)) return 0;
  bool expected = match(pattern_tokens, subject_tokens);
  TRAM_ASSERT(matches(pattern, subject) == expected);
  Router router;
  router.subscribe({1}, pattern, "");
  router.subscribe({2}, pattern, "group");
  TRAM_ASSERT(router.route(subject).size() == (expected ? 2 : 0));
  TRAM_ASSERT(router.unsubscribe({1}, pattern, "") && router.unsubscribe({2}, pattern, "group"));
  TRAM_ASSERT(router.size() == 0 && router.route(subject).empty());
  return 0;
}
