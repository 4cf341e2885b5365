#include "tram/base/error.h"

namespace tram::base {

std::string_view name_of(Errc code) {
  switch (code) {
#define TRAM_ERROR_NAME(code, sentence) \
  case Errc::code:                      \
    return #code;
    TRAM_ERRORS(TRAM_ERROR_NAME)
#undef TRAM_ERROR_NAME
  }
  return "unknown";
}

std::string_view sentence_of(Errc code) {
  switch (code) {
#define TRAM_ERROR_SENTENCE(code, sentence) \
  case Errc::code:                          \
    return sentence;
    TRAM_ERRORS(TRAM_ERROR_SENTENCE)
#undef TRAM_ERROR_SENTENCE
  }
  return "unknown";
}

std::string Error::text() const {
  std::string text(sentence_of(code));
  if (!detail.empty()) text.append(" (").append(detail).append(")");
  return text;
}

}  // namespace tram::base
