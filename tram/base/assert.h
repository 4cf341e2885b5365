// TRAM_ASSERT(condition, values...): what only our own mistake can make false.
//
// On in release. Prints the condition, its place and the values, then stops the
// program: a broker that has lost its mind must not go on acknowledging. What the
// world can do to us is an Error instead (error.h).
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace tram::base {

// Prints to standard error and aborts. Used by the macro only.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const std::string& values);

// Numbers, enumerators (as numbers) and text: this header is read by every file, so it formats by
// itself.
template <class Value>
std::string show_value(const Value& value) {
  if constexpr (std::is_enum_v<Value>)
    return std::to_string(static_cast<std::underlying_type_t<Value>>(value));
  else if constexpr (std::is_arithmetic_v<Value>)
    return std::to_string(value);
  else
    return std::string(std::string_view(value));
}

template <class... Values>
std::string show_values(const Values&... values) {
  std::string text;
  ((text += show_value(values) + " "), ...);
  return text;
}

}  // namespace tram::base

#define TRAM_ASSERT(condition, ...)                                           \
  do {                                                                        \
    if (!(condition)) [[unlikely]]                                            \
      ::tram::base::assertion_failed(#condition, __FILE__, __LINE__,          \
                                     ::tram::base::show_values(__VA_ARGS__)); \
  } while (false)
