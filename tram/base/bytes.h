// Bytes own, BytesView looks. Both may hold any byte, zero included.
#pragma once

#include <string>
#include <string_view>

namespace tram::base {

using Bytes = std::string;
using BytesView = std::string_view;

}  // namespace tram::base
