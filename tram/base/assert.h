// TRAM_ASSERT(condition, values...): what only our own mistake can make false.
//
// On in release. Prints the condition, its place and the values, then stops the
// program: a broker that has lost its mind must not go on acknowledging. What the
// world can do to us is an Error instead (error.h).
#pragma once

#include <fmt/core.h>
#include <string>

namespace tram::base {

// Prints to standard error and aborts. Used by the macro only.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const std::string& values);

template <class... Values>
std::string show_values(const Values&... values) {
  std::string text;
  ((text += fmt::format("{} ", values)), ...);
  return text;
}

}  // namespace tram::base

#define TRAM_ASSERT(condition, ...)                                           \
  do {                                                                        \
    if (!(condition)) [[unlikely]]                                            \
      ::tram::base::assertion_failed(#condition, __FILE__, __LINE__,          \
                                     ::tram::base::show_values(__VA_ARGS__)); \
  } while (false)
