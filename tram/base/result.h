// Result<T>: a T, or an Error that says why not. No function of ours throws to its caller.
#pragma once

#include <expected>

#include "tram/base/error.h"

namespace tram::base {

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> failure(Errc code, std::string detail = {}) {
  return std::unexpected(Error{code, std::move(detail)});
}

}  // namespace tram::base
