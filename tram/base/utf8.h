// Text that came from outside, on its way into a format that must be UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace tram::base {

// The size of the well-formed UTF-8 sequence at the front of `text`, which is not empty; 0 if
// there is none. Overlong forms, surrogates and what is beyond Unicode are none.
size_t utf8_sequence_size(std::string_view text);

}  // namespace tram::base
