// "Did you mean ...?": the known name that is nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tram::server {

// How many letters must be put in, taken out, changed or swapped with the next to make one of
// the other.
size_t distance(std::string_view a, std::string_view b);

// The nearest of `known`, if it is near enough to be what was meant; otherwise empty.
std::string_view nearest_name(std::string_view mistyped, std::span<const std::string> known);

}  // namespace tram::server
