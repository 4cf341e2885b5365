// The word that was probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tram::cli {

// The nearest of `words` to a mistyped one, by letters changed, added, missing or swapped;
// empty if none is near.
std::string nearest(std::string_view typed, const std::vector<std::string>& words);

}  // namespace tram::cli
